package store

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The table, whole. Everything of a tenant t is in partitions whose name is "T#t" or begins with "T#t#", so that an IAM
// condition on dynamodb:LeadingKeys can fence a tenant; TenantStore fences it in the program. Sort keys that join
// several parts put Sep between them and escape it inside them, so that no value can pass for another and prefixes sort
// as the values do.
//
//	kind of item                PK           SK                                attributes beside v
//	tenant                      T#t          TENANT                            doc, ver, state, policy, wake
//	when a token was last used  T#t          USED|token id                     at
//	plain token (local runs)    T#t          SECRET|token id                   value
//	notice to administrators    T#t          NOTICE|token id|kind|period       doc, state, wake, ttl
//	own schemas and types       T#t          SCHEMAS|hash                      doc, at, created
//	OAuth client's name, keys   T#t          CLIENT|client id                  doc
//	list of tenants             TENANTS      tenant id                         state
//	operator's OAuth client     CLIENTS      client id                         doc, ver
//	when a tenant is due        DUE#shard    Unix seconds|tenant id            -
//	rotation goes on            DUE          AGAIN                             at, wake
//	daily search for markers    DUE          SWEPT                             at, after
//	daily check of domains      DUE          DOMAINS                           at, after
//	user                        T#t#U        user id                           doc, ver, created, modified, unique
//	user name: unique, sorted   T#t#N        folded userName                   id
//	lookup                      T#t#X        attribute|value|id                types (of an e-mail)
//	group                       T#t#G        group id                          doc, ver, created, modified, open,
//	                                                                           holds, unique, members
//	group name, sorted          T#t#GN       folded displayName|id             -
//	holder of a group name      T#t#GH       folded displayName                id
//	own type that has resources T#t#Y        type                              -
//	resource of an own type     T#t#Y#type   id                                doc, ver, created, modified, unique
//	unique value                T#t#UQ       type|attribute|value              id
//	member of a group           T#t#M        group id|member value             type, display, at
//	groups of a member          T#t#R        member id|group id                -
//	open work                   T#t#P        work id                           kind, doc, wake
//	chunks of open work         T#t#PC       work id|first value in the chunk  changes
//	reference that waits        T#t#Q        folded value|where|owner|value    -  (a long folded value: its SHA-256)
//	values waited for           T#t#QH       folded value                      stamp
//	counter                     T#t#C        kind|first id of the shard        n, made
//	where a page ended          T#t#K        list|start index                  after, ttl
//	bulk request seen before    T#t#B        digest of the request             seeds, done, ttl
//	client's assertion used     T#t#J        digest of client id and jti       ttl
//	head of the log             T#t          HEAD                              seq, epoch, wake
//	entry of the log            T#t#L#n      sequence of its last event        doc, first, at, before, ttl
//	partition of the log        T#t#L        n                                 -
//	marker                      T#t#MK       kind|subject                      stamp, doc, at, again, wake
//	event not yet numbered      T#t#MK       e|time-ordered id                 doc, at, again, wake
//	member, as published        T#t#A        member id                         doc, ver, last, until, stale, erasing,
//	                                                                           ttl
//	member lookup               T#t#AX       attribute|value|member id         -
//	account of the application  T#t#AX       account|id|account                member, doc
//	account for a value         T#t#AX       accountFor|attribute|value        account
//	who left with a value       T#t#AX       left|attribute|value              member, ttl
//	manual assignment           T#t#AM       member id|kind|organisation|name  at
//	target                      T#t#AT       kind|organisation|name            doc, ver
//	seats of a target in use    T#t#AS       kind|organisation|name            used, high, policy, ver
//	queue for a seat            T#t#AQ       kind|organisation|name|at|member  -
//	adopted target              T#t#AD       kind|organisation|name|group id   -
//	targets of a group          T#t#AG       group id                          doc
//	pass over many subjects     T#t#AP       kind|subject                      stamp, phase, after, done
//	webhook of the tenant       T#t#W        webhook id                        doc, ver
//	how far a destination is    T#t#D        destination                       doc, ver, wake
//	webhook of the operator     WEBHOOKS     webhook id                        doc, ver
//	key of webhooks' secrets    WEBHOOKS     KEY (local runs)                  value
//	when delivery is due        SEND         Unix seconds|tenant|destination   -
//	request with a key          T#t#IK       digest of the Idempotency-Key     request, at, status, location, doc,
//	                                                                           etag, ttl
//	the same of the operator    OPERATORONCE digest of the Idempotency-Key     the same
//	set-up link, its session    T#t#SL       L|link id                         doc, ver, ttl
//	page to ask for a link      T#t#SL       R|digest of its id                doc, ver, ttl
//	mails to a recipient        T#t#SL       M|digest of the address           doc, ver, ttl
//	policy                      T#t          POLICY                            doc, ver, created, applied,
//	                                                                           finished
//	state of the guard          T#t          GUARD                             doc, ver
//	import under way            T#t          IMPORT                            digest, done
//	domains                     T#t          DOMAINS                           doc, ver
//	user whom the guard counted T#t#GU       C|user id                         at, ttl
//	user whom the guard holds   T#t#GU       H|user id                         at, action, ttl
//	requests in a window        T#t#LM       W|number of the window            n, ttl
//	walk under way              T#t#LM       P|place                           by, until, ttl
//
//	entry of the provisioning log  T#t#PL    Unix microseconds-random          doc, ttl
//	the same of the operator's log  OPERATORLOG  Unix microseconds-random      doc, ttl
//	activity of a day           T#t#PA       D|day                             counts, at, good, doc, ttl
//	erasing from the log        T#t#PA       E|member id                       after, names, ttl
//
// Every item carries its schema version as attribute v (AttrSchema), and those that expire their time as attribute ttl
// (AttrTTL).
const (
	// AttrSchema is the attribute that holds the version of an item's layout.
	AttrSchema = "v"
	// AttrTTL is the attribute that holds the Unix time in seconds after which the item is void. Deletion may lag
	// by days, so a reader of an item that expires must compare the time itself.
	AttrTTL = "ttl"
	// AttrWake is the attribute whose presence on a new or changed item wakes the background: open
	// work, members to publish, a deleted tenant, or something to announce.
	AttrWake = "wake"
	// SchemaVersion is the layout that this code writes.
	SchemaVersion int64 = 1
)

// The values of AttrWake name the work for the background. The filters of the stream's readers go by them.
const (
	// WakeWork: roll the tenant's open work forward.
	WakeWork = "work"
	// WakeDeleted: empty the deleted tenant.
	WakeDeleted = "deleted"
	// WakeTell: deliver the tenant's notices.
	WakeTell = "tell"
	// WakePublish: publish the tenant's members.
	WakePublish = "publish"
	// WakeDeliver: take the tenant's log to those who follow it.
	WakeDeliver = "deliver"
	// WakeRotate: go on with a run of rotation that did not get to its end.
	WakeRotate = "rotate"
)

// Sep separates the parts of a sort key. It sorts before every character that a part can hold after escaping.
const Sep = "\x01"

// escape begins the two characters that stand for one of "\x00", "\x01" (Sep) and "\x02" inside a part.
const escape = '\x02'

var (
	escaper   = strings.NewReplacer("\x00", "\x02\x02", "\x01", "\x02\x03", "\x02", "\x02\x04")
	unescaper = strings.NewReplacer("\x02\x02", "\x00", "\x02\x03", "\x01", "\x02\x04", "\x02")
)

// Join creates a sort key of parts, escaping each. It neither copies nor searches twice if there is nothing to escape:
// a request about a large group makes some ten thousand keys.
func Join(parts ...string) string {
	for i, p := range parts {
		if !plain(p) {
			parts = slices.Clone(parts)
			for k := i; k < len(parts); k++ {
				parts[k] = escaper.Replace(parts[k])
			}
			break
		}
	}
	return strings.Join(parts, Sep)
}

// plain reports whether a part needs no escaping.
func plain(part string) bool {
	for i := range len(part) {
		if part[i] <= escape {
			return false
		}
	}
	return true
}

// Split is the inverse of Join.
func Split(sk string) []string {
	parts := strings.Split(sk, Sep)
	for i, p := range parts {
		parts[i] = unescaped(p)
	}
	return parts
}

// LastPart is the last of the parts that Split would return.
func LastPart(sk string) string { return unescaped(sk[strings.LastIndex(sk, Sep)+1:]) }

func unescaped(part string) string {
	if strings.IndexByte(part, escape) < 0 {
		return part
	}
	return unescaper.Replace(part)
}

// TenantsPK is the partition that lists all tenants.
const TenantsPK = "TENANTS"

// Keys creates the keys of one tenant.
type Keys struct{ tenant string }

// KeysOf returns the key maker of a tenant. The id is made of a-z, 0-9 and "-": it can't leave its prefix.
func KeysOf(tenant string) Keys { return Keys{tenant} }

// EachKey returns the key of each value, in order.
func EachKey[T any](values []T, key func(T) Key) []Key {
	keys := make([]Key, len(values))
	for i, v := range values {
		keys[i] = key(v)
	}
	return keys
}

// TenantID returns the tenant whose keys these are.
func (k Keys) TenantID() string { return k.tenant }

func (k Keys) pk(suffix string) string { return "T#" + k.tenant + suffix }

// Tenant is the key of the tenant's own item: settings, token digests, switches.
func (k Keys) Tenant() Key { return Key{k.pk(""), "TENANT"} }

// Used is the key of the item that says when a token was last used.
func (k Keys) Used(tokenID string) Key { return Key{k.pk(""), Join("USED", tokenID)} }

// Secret is the key of a plain token kept in the table, which only local runs do.
func (k Keys) Secret(tokenID string) Key { return Key{k.pk(""), Join("SECRET", tokenID)} }

// Schemas is the key of the schemas and resource types that an operator has defined for the tenant, by a hash of them.
func (k Keys) Schemas(hash string) Key { return Key{k.pk(""), Join("SCHEMAS", hash)} }

// SchemasPrefix is the prefix of all Schemas keys.
func (k Keys) SchemasPrefix() Key { return Key{k.pk(""), Join("SCHEMAS") + Sep} }

// Client is the key of the part of an OAuth client that no request needs: its name and public keys.
func (k Keys) Client(clientID string) Key { return Key{k.pk(""), Join("CLIENT", clientID)} }

// Assertion is the key that exists once an OAuth client's assertion was used, by a digest.
func (k Keys) Assertion(digest string) Key { return Key{k.pk("#J"), digest} }

// OperatorClientsPK is the partition of the OAuth clients that serve many tenants.
const OperatorClientsPK = "CLIENTS"

// OperatorClient is the key of an OAuth client of the operator's.
func OperatorClient(clientID string) Key { return Key{OperatorClientsPK, clientID} }

// Notice is the key of a notice: about which token, of which kind, and in which period of notice of that token.
func (k Keys) Notice(tokenID, kind, period string) Key {
	return Key{k.pk(""), Join("NOTICE", tokenID, kind, period)}
}

// NoticePrefix is the prefix of all notices of the tenant.
func (k Keys) NoticePrefix() Key { return Key{k.pk(""), "NOTICE" + Sep} }

// DueShards is how many partitions share the tenants in order of when they are due.
const DueShards = 16

// Due is the key under which the tenant is found when something of it is due, at a time in Unix seconds.
func (k Keys) Due(at int64) Key {
	return Key{DuePK(int(Hash(k.tenant) % DueShards)), Join(DueTime(at), k.tenant)}
}

// Hash is the 32-bit FNV-1a hash of a text. It stands here because hash/fnv would add 3 kB to each function, most of
// them for interfaces that nobody uses.
func Hash(text string) uint32 {
	h := uint32(2166136261)
	for i := range len(text) {
		h = (h ^ uint32(text[i])) * 16777619
	}
	return h
}

// DuePK is a partition of due tenants; shard is 0 to DueShards-1.
func DuePK(shard int) string { return "DUE#" + strconv.Itoa(shard) }

// DueTime is the beginning of the sort keys of Due: seconds at a fixed width, so that they sort as the times do.
func DueTime(at int64) string { return fmt.Sprintf("%012d", at) }

// Again is the key of the item that wakes the next run of rotation.
var Again = Key{"DUE", "AGAIN"}

// Swept is the key of the item that says how far the daily search for markers has come.
var Swept = Key{"DUE", "SWEPT"}

// DomainsSwept is the key of the item that says how far the daily check of domains has come.
var DomainsSwept = Key{"DUE", "DOMAINS"}

// DueOf reads a key of Due: the tenant, and when it is due in Unix seconds. ok is false if the key is none.
func DueOf(k Key) (tenant string, at int64, ok bool) {
	parts := Split(k.SK)
	if !strings.HasPrefix(k.PK, "DUE#") || len(parts) != 2 {
		return "", 0, false
	}
	at, err := strconv.ParseInt(parts[0], 10, 64)
	return parts[1], at, err == nil
}

// NoticeOf reads a key of Notice. ok is false if the key is none.
func NoticeOf(k Key) (tokenID, kind, period string, ok bool) {
	parts := Split(k.SK)
	if len(parts) != 4 || parts[0] != "NOTICE" {
		return "", "", "", false
	}
	return parts[1], parts[2], parts[3], true
}

// TenantOf is the tenant whose partition, or whose entry in the list of tenants, a key is in. ok is false if it is in
// neither.
func TenantOf(k Key) (id string, ok bool) {
	if k.PK == TenantsPK {
		return k.SK, k.SK != ""
	}
	rest, ok := strings.CutPrefix(k.PK, "T#")
	id, _, _ = strings.Cut(rest, "#")
	return id, ok && id != ""
}

// Listed is the key of the tenant in the list of tenants.
func (k Keys) Listed() Key { return Key{TenantsPK, k.tenant} }

// User is the key of a user.
func (k Keys) User(id string) Key { return Key{k.pk("#U"), id} }

// UserName is the key that makes a userName unique; folded as scim.Fold does.
func (k Keys) UserName(folded string) Key { return Key{k.pk("#N"), folded} }

// Lookup is the key by which the resource id is found by the value of an indexed attribute.
func (k Keys) Lookup(attribute, value, id string) Key {
	return Key{k.pk("#X"), Join(attribute, value, id)}
}

// LookupPrefix is the prefix of all Lookup keys of a value.
func (k Keys) LookupPrefix(attribute, value string) Key {
	return Key{k.pk("#X"), Join(attribute, value) + Sep}
}

// Group is the key of a group.
func (k Keys) Group(id string) Key { return Key{k.pk("#G"), id} }

// GroupName is the key by which a group is found by its name, and sorted.
func (k Keys) GroupName(folded, id string) Key { return Key{k.pk("#GN"), Join(folded, id)} }

// GroupNamePrefix is the prefix of all GroupName keys of a name.
func (k Keys) GroupNamePrefix(folded string) Key { return Key{k.pk("#GN"), Join(folded) + Sep} }

// GroupNameHolder is the key that makes a group name unique if the tenant wants that.
func (k Keys) GroupNameHolder(folded string) Key { return Key{k.pk("#GH"), folded} }

// Other is the key of a resource of a type that an operator has defined. The id of a type is made of letters, digits,
// "-" and "_".
func (k Keys) Other(typeID, id string) Key { return Key{k.pk("#Y#" + typeID), id} }

// OtherType is the key that names a type whose resources have a partition of their own; see Partitions.
func (k Keys) OtherType(typeID string) Key { return Key{k.pk("#Y"), typeID} }

// Unique is the key that makes a value of an attribute unique among the resources of a type.
func (k Keys) Unique(typeID, attribute, value string) Key {
	return Key{k.pk("#UQ"), Join(typeID, attribute, value)}
}

// Member is the key of a member of a group: a user's or group's id, or a value that names nobody yet. Members of all
// groups share a partition, so that one range read serves a page of groups.
func (k Keys) Member(groupID, value string) Key { return Key{k.pk("#M"), Join(groupID, value)} }

// MemberPrefix is the prefix of all Member keys of a group.
func (k Keys) MemberPrefix(groupID string) Key { return Key{k.pk("#M"), Join(groupID) + Sep} }

// MemberOf is the key by which a user's (or nested group's) groups are found; in one partition for the same reason.
func (k Keys) MemberOf(id, groupID string) Key { return Key{k.pk("#R"), Join(id, groupID)} }

// MemberOfPrefix is the prefix of all MemberOf keys of a member.
func (k Keys) MemberOfPrefix(id string) Key { return Key{k.pk("#R"), Join(id) + Sep} }

// Work is the key of open work: a committed change that is not yet rolled forward.
func (k Keys) Work(id string) Key { return Key{k.pk("#P"), id} }

// Chunk is the key of a part of open work, named by the first member value in it.
func (k Keys) Chunk(workID, first string) Key { return Key{k.pk("#PC"), Join(workID, first)} }

// ChunkPrefix is the prefix of all chunks of open work.
func (k Keys) ChunkPrefix(workID string) Key { return Key{k.pk("#PC"), Join(workID) + Sep} }

// Counter is the key of one shard of a counter. Shards sort as the ids that they count do.
func (k Keys) Counter(kind, shard string) Key { return Key{k.pk("#C"), Join(kind, shard)} }

// CounterPrefix is the prefix of all shards of a counter.
func (k Keys) CounterPrefix(kind string) Key { return Key{k.pk("#C"), Join(kind) + Sep} }

// Waiting is the key of a reference that names nobody yet: which owner ("M" a group's member, "U" a user's manager)
// waits for whom.
func (k Keys) Waiting(folded, where, owner, value string) Key {
	return Key{k.pk("#Q"), Join(brief(folded), where, owner, value)}
}

// WaitingPrefix is the prefix of all references that wait for a value.
func (k Keys) WaitingPrefix(folded string) Key { return Key{k.pk("#Q"), Join(brief(folded)) + Sep} }

// brief stands for a folded value in a key that holds the value itself as well: both may not fit.
func brief(folded string) string {
	const most = 128
	if len(folded) <= most {
		return folded
	}
	sum := sha256.Sum256([]byte(folded))
	return hex.EncodeToString(sum[:])
}

// WaitedFor is the key that exists while any reference waits for a value.
func (k Keys) WaitedFor(folded string) Key { return Key{k.pk("#QH"), folded} }

// PageMark is the key that remembers where a page of a list ended.
func (k Keys) PageMark(list, startIndex string) Key { return Key{k.pk("#K"), Join(list, startIndex)} }

// Bulk is the key that remembers a bulk request by its digest.
func (k Keys) Bulk(digest string) Key { return Key{k.pk("#B"), digest} }

// LogHead is the key of the item that says how far the tenant's log goes.
func (k Keys) LogHead() Key { return Key{k.pk(""), "HEAD"} }

// LogPartitionSize is how many sequence numbers share a partition of the log, so that no partition takes all writes.
const LogPartitionSize = 1000

// LogEntry is the key of an entry of the log, by the sequence number of its last event.
func (k Keys) LogEntry(last int64) Key {
	return Key{k.pk("#L#" + strconv.FormatInt(last/LogPartitionSize, 10)), logSequence(last)}
}

func logSequence(n int64) string { return fmt.Sprintf("%015d", n) }

// LogAfter is the range of the entries with events after a sequence number, in the partition that begins with them.
// next is the last number that the partition can hold.
func (k Keys) LogAfter(after int64) (q Query, next int64) {
	thousand := (after + 1) / LogPartitionSize
	return Query{PK: k.LogEntry(after + 1).PK, From: logSequence(after + 1)}, (thousand+1)*LogPartitionSize - 1
}

// LogPartition is the key that names the partition of a sequence number, for emptying a tenant.
func (k Keys) LogPartition(n int64) Key {
	return Key{k.pk("#L"), fmt.Sprintf("%012d", n/LogPartitionSize)}
}

// LogPartitionNames is the partition of all LogPartition keys.
func (k Keys) LogPartitionNames() string { return k.pk("#L") }

// LogPartitionOf is the partition of the log that a LogPartition key with the sort key sk names.
func (k Keys) LogPartitionOf(sk string) string {
	return k.pk("#L#" + cmp.Or(strings.TrimLeft(sk, "0"), "0"))
}

// BeginsLogPartition reports whether a sequence number is the first of its partition.
func BeginsLogPartition(n int64) bool { return n == 1 || n%LogPartitionSize == 0 }

// Marker is the key of a marker, which says that a subject may have changed.
func (k Keys) Marker(kind, subject string) Key { return Key{k.pk("#MK"), Join(kind, subject)} }

// MarkerPrefix is the prefix of all markers of a kind; of all markers if it is "".
func (k Keys) MarkerPrefix(kind string) Key {
	if kind == "" {
		return Key{k.pk("#MK"), ""}
	}
	return Key{k.pk("#MK"), Join(kind) + Sep}
}

// Owns reports whether a partition belongs to the tenant.
func (k Keys) Owns(pk string) bool {
	rest, ok := strings.CutPrefix(pk, "T#"+k.tenant)
	return ok && (rest == "" || rest[0] == '#')
}

// Partitions are the names of all partitions of the tenant but its own item's, those of the types that OtherType
// names, and those of the log that LogPartition names. They are emptied when the tenant is deleted.
func (k Keys) Partitions() []string {
	var pks []string
	for _, suffix := range []string{
		"#U", "#N", "#X", "#G", "#GN", "#GH", "#Y", "#UQ", "#M", "#R", "#P", "#PC", "#Q",
		"#QH", "#C", "#K", "#B", "#J",
		"#MK", "#A", "#AX", "#AM", "#AT", "#AS", "#AQ", "#AD", "#AG", "#AP", "#GU",
		"#W", "#D", "#LM", "#IK",
		"#PL", "#PA", "#SL",
	} {
		pks = append(pks, k.pk(suffix))
	}
	return pks
}
