package store

// SetupLink is the key of a set-up link, with the session that it was redeemed for.
func (k Keys) SetupLink(id string) Key { return Key{k.pk("#SL"), Join("L", id)} }

// SetupLinkPrefix is the prefix of all SetupLink keys.
func (k Keys) SetupLinkPrefix() Key { return Key{k.pk("#SL"), "L" + Sep} }

// SetupRenewal is the key of a page on which a recipient of notices can have a link mailed, by the digest of its id.
func (k Keys) SetupRenewal(digest string) Key { return Key{k.pk("#SL"), Join("R", digest)} }

// SetupMails is the key of the item that counts the mails with links that a recipient asked for, by a digest of the
// address.
func (k Keys) SetupMails(digest string) Key { return Key{k.pk("#SL"), Join("M", digest)} }
