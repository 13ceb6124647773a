package store

// Provisioned is the key of an entry of the provisioning log, by its id, which sorts by time. The entries of a
// tenant are one partition: they are written one after the other in any case, and a partition of DynamoDB takes
// some 300 of them a second, ten times as many as an identity provider sends.
func (k Keys) Provisioned(id string) Key { return Key{k.pk("#PL"), id} }

// OperatorLogPK is the partition of the entries about requests to the admin API that are of no tenant.
const OperatorLogPK = "OPERATORLOG"

// OperatorLog is the key of such an entry, by its id, which sorts by time.
func OperatorLog(id string) Key { return Key{OperatorLogPK, id} }

// Activity is the key of the counts of a day, "2026-11-28".
func (k Keys) Activity(day string) Key { return Key{k.pk("#PA"), Join("D", day)} }

// ErasingLog is the key of the item that says how far a member's erasing from the provisioning log has come.
func (k Keys) ErasingLog(memberID string) Key { return Key{k.pk("#PA"), Join("E", memberID)} }
