package doctor

import (
	"context"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// rule is a condition that all items of one kind meet.
type rule struct {
	// needs are the keys of the items that look asks for, as far as the item alone says; nil: none.
	needs func(k store.Keys, item store.Item) []store.Key
	// look reports faults; nil: there can be none.
	look func(v *view, item store.Item)
}

// partitions are the rules of a tenant's partitions, by the part of their names after the tenant. Those of own types
// ("Y#…") and of the log ("L#…") have one name for all.
var partitions = map[string]*rule{
	"U":  {userNeeds, lookUser},
	"N":  {nameNeeds, lookName},
	"X":  {lookupNeeds, lookLookup},
	"G":  {groupNeeds, lookGroup},
	"GN": {groupNameNeeds, lookGroupName},
	"GH": {holderNeeds, lookHolder},
	"Y":  {},
	"Y#": {otherNeeds, lookOther},
	"UQ": {uniqueNeeds, lookUnique},
	"M":  {memberNeeds, lookMember},
	"R":  {memberOfNeeds, lookMemberOf},
	"P":  {workNeeds, lookWork},
	"PC": {nil, mustExpire},
	"Q":  {waitingNeeds, lookWaiting},
	"QH": {},
	"C":  {nil, lookCounter},
	"K":  {nil, mustExpire},
	"B":  {nil, mustExpire},
	"J":  {nil, mustExpire},
	"L":  {},
	"L#": {},
	"MK": {nil, lookMarker},
	"A":  {publishedNeeds, lookPublished},
	"AX": {traceNeeds, lookTrace},
	"AM": {manualNeeds, lookManual},
	"AT": {nil, lookTarget},
	"AS": {poolNeeds, lookPool},
	"AQ": {queueNeeds, lookQueue},
	"AD": {adoptedNeeds, lookAdopted},
	"AG": {adoptsNeeds, lookAdopts},
	"AP": {passNeeds, lookPass},
	"GU": {nil, mustExpire},
	"PL": {nil, mustExpire},
	"PA": {nil, mustExpire},
	"LM": {nil, mustExpire},
	"IK": {nil, mustExpire},
	"SL": {nil, mustExpire},
	"W":  {nil, lookDocument},
	"D":  {nil, lookDocument},
}

// own are the rules of a tenant's own partition, by the first part of the sort key.
var own = map[string]*rule{
	"TENANT":  {tenantNeeds, lookTenant},
	"USED":    {},
	"SECRET":  {nil, lookSecret},
	"NOTICE":  {nil, lookDocument},
	"SCHEMAS": {nil, lookDocument},
	"CLIENT":  {nil, lookClient},
	"HEAD":    {},
	"POLICY":  {tenantKey, lookPolicy},
	"GUARD":   {nil, lookDocument},
	"DOMAINS": {tenantKey, lookDomains},
	"IMPORT":  {},
}

// global are the rules of the partitions that belong to no tenant.
var global = map[string]*rule{
	store.TenantsPK:          {listedNeeds, lookListed},
	store.OperatorClientsPK:  {},
	store.OperatorWebhooksPK: {},
	store.OperatorLogPK:      {},
	store.OperatorOncePK:     {nil, mustExpire},
	store.SendPK:             {},
	store.Again.PK:           {},
	"DUE#":                   {dueNeeds, lookDue},
}

// ruleOf is the rule of a key's kind; nil if there is no such kind.
func ruleOf(key store.Key) *rule {
	rest, ok := strings.CutPrefix(key.PK, "T#")
	if !ok {
		if strings.HasPrefix(key.PK, "DUE#") {
			return global["DUE#"]
		}
		return global[key.PK]
	}
	_, part, inside := strings.Cut(rest, "#")
	if !inside {
		return own[store.Split(key.SK)[0]]
	}
	if kind, _, several := strings.Cut(part, "#"); several {
		return partitions[kind+"#"]
	}
	return partitions[part]
}

// scanner is an engine that can list all keys.
type scanner interface {
	Scan(ctx context.Context, after store.Key) (keys []store.Key, next store.Key, err error)
}

// strangers goes through all keys of the table, and finds those of no kind and those of no tenant.
func (p *patient) strangers(ctx context.Context, s scanner) error {
	last, there := "", false
	for after := (store.Key{}); ; {
		keys, next, err := s.Scan(ctx, after)
		if err != nil {
			return err
		}
		for _, key := range keys {
			if key.PK != last {
				last = key.PK
				if there, err = p.belongs(ctx, key); err != nil {
					return err
				}
			}
			p.stranger(key, there)
		}
		if after = next; next == (store.Key{}) {
			return nil
		}
	}
}

// belongs reports whether the tenant of a partition has an item or is listed; true for a partition of no tenant.
func (p *patient) belongs(ctx context.Context, key store.Key) (bool, error) {
	id, ok := store.TenantOf(key)
	if !ok || !strings.HasPrefix(key.PK, "T#") {
		return true, nil
	}
	k := store.KeysOf(id)
	items, err := p.st.Get(ctx, k.Tenant(), k.Listed())
	return err == nil && (items[0].Attrs != nil || items[1].Attrs != nil), err
}

func (p *patient) stranger(key store.Key, there bool) {
	v := &view{patient: p, item: store.Item{Key: key}}
	switch {
	case ruleOf(key) == nil:
		p.report(v, Finding{Check: "unknown", Problem: "The key has a kind that this version does not know."})
	case !there:
		p.report(v, Finding{Check: "orphan", Problem: "The item belongs to a tenant that does not exist."})
	}
}

// Knows reports whether a key is of a kind that this version knows.
func Knows(key store.Key) bool { return ruleOf(key) != nil }
