package tenant_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// grant asks for an access token; empty if the client is refused.
func (w *world) grant(t *testing.T, tenantID string, c tenant.IssuedClient) string {
	t.Helper()
	token, err := w.Grant(w.ctx, tenantID, tenant.ClientProof{ID: c.ID, Secret: c.Secret}, "", nil)
	if denied := (*tenant.GrantError)(nil); errors.As(err, &denied) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return token.Value
}

// A process that dies while it makes, renews or deletes a client leaves all of it or nothing.
func TestCrashInClients(t *testing.T) {
	for _, owner := range []string{"acme", tenant.OperatorClients} {
		t.Run("of "+owner, func(t *testing.T) {
			var made tenant.IssuedClient
			prepare := func(t *testing.T, w *world) {
				w.create(t, "acme")
				var err error
				if made, err = w.CreateClient(w.ctx, owner, tenant.NewClient{Name: "Ping"}); err != nil {
					t.Fatal(err)
				}
				if owner == tenant.OperatorClients {
					w.allow(t, "acme", made.ID)
				}
			}
			var renewed tenant.IssuedClient
			crash(t, prepare, func(w *world, s *tenant.Service) (err error) {
				renewed, err = s.RenewClient(w.ctx, owner, made.ID, tenant.NewClient{})
				return err
			}, func(t *testing.T, w *world) {
				c, err := w.Client(w.ctx, owner, made.ID)
				if err != nil || c.Name != "Ping" || len(c.Secrets) < 1 || w.grant(t, "acme", made) == "" {
					t.Errorf("%+v %v", c, err)
				}
				if renewed.Secret != "" && w.grant(t, "acme", renewed) == "" {
					t.Error("a secret that was handed out is refused")
				}
			})
			crash(t, prepare, func(w *world, s *tenant.Service) error {
				return s.DeleteClient(w.ctx, owner, made.ID)
			}, func(t *testing.T, w *world) {
				_, err := w.Client(w.ctx, owner, made.ID)
				if listed := err == nil; listed != (w.grant(t, "acme", made) != "") {
					t.Errorf("the list says %v", err)
				}
				if err = w.DeleteClient(w.ctx, owner, made.ID); err != nil && !errors.Is(err, tenant.ErrNotFound) {
					t.Error(err)
				}
				if w.grant(t, "acme", made) != "" {
					t.Error("a deleted client gets in")
				}
			})
			crash(t, func(t *testing.T, w *world) { w.create(t, "acme") }, func(w *world, s *tenant.Service) error {
				_, err := s.CreateClient(w.ctx, owner, tenant.NewClient{Name: "new"})
				return err
			}, func(t *testing.T, w *world) {
				clients, err := w.Clients(w.ctx, owner)
				if err != nil || len(clients) > 1 || len(clients) == 1 && clients[0].Name != "new" {
					t.Errorf("%+v %v", clients, err)
				}
			})
		})
	}
}

func (w *world) allow(t *testing.T, tenantID, clientID string) {
	t.Helper()
	settings := scim.Object{"oauth": scim.Object{"clients": []any{clientID}}}
	if _, err := w.Change(w.ctx, tenantID, scim.Object{"settings": settings}); err != nil {
		t.Fatal(err)
	}
}

// Many at once never make more clients or secrets than there may be, and lose none.
func TestClientsAtOnce(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme")
	var made atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := w.CreateClient(w.ctx, "acme", tenant.NewClient{})
			if conflict := (*tenant.ConflictError)(nil); err != nil && !errors.As(err, &conflict) {
				t.Error(err)
			}
			if err == nil {
				made.Add(1)
			}
		})
	}
	wg.Wait()
	clients, err := w.Clients(w.ctx, "acme")
	if err != nil || len(clients) != 3 || made.Load() != 3 {
		t.Fatalf("%d made, %d there, %v", made.Load(), len(clients), err)
	}
	operator, err := w.CreateClient(w.ctx, tenant.OperatorClients, tenant.NewClient{})
	if err != nil {
		t.Fatal(err)
	}
	for owner, id := range map[string]string{"acme": clients[0].ID, tenant.OperatorClients: operator.ID} {
		made.Store(0)
		for range 6 {
			wg.Go(func() {
				if _, err := w.RenewClient(w.ctx, owner, id, tenant.NewClient{}); err == nil {
					made.Add(1)
				}
			})
		}
		wg.Wait()
		if c, err := w.Client(w.ctx, owner, id); err != nil || made.Load() != 1 || len(c.Secrets) != 2 {
			t.Errorf("%d renewed, %+v, %v", made.Load(), c, err)
		}
	}
}

// A table of which every third call fails makes no client that is half there.
func TestClientsOnAFaultyTable(t *testing.T) {
	for seed := range uint64(6) {
		w := newWorld(t)
		w.create(t, "acme")
		s := w.process(store.New(faultstore.New(w.engine, faultstore.Random(seed, 0.3)),
			store.Options{BaseDelay: time.Millisecond}), false)
		random := rand.New(rand.NewPCG(seed, 1))
		alive := map[string]tenant.IssuedClient{}
		for range 20 {
			if random.IntN(2) == 0 {
				if c, err := s.CreateClient(w.ctx, "acme", tenant.NewClient{}); err == nil {
					alive[c.ID] = c
				}
				continue
			}
			for id := range alive {
				if err := s.DeleteClient(w.ctx, "acme", id); err == nil || errors.Is(err, tenant.ErrNotFound) {
					if w.grant(t, "acme", alive[id]) != "" {
						t.Fatalf("seed %d: a deleted client gets in", seed)
					}
				}
				delete(alive, id)
				break
			}
		}
		for id, c := range alive {
			if value := w.grant(t, "acme", c); value == "" || !w.good(t, "acme", value) {
				t.Errorf("seed %d: client %s is refused", seed, id)
			}
		}
	}
}

// The item of a tenant with all that it may have stays one read, and leaves room for its token's successor.
func TestClientsLeaveRoom(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme")
	var recipients []any
	for i := range 9 {
		recipients = append(recipients,
			scim.Object{"email": strings.Repeat("x", 98) + fmt.Sprint(i) + "@example.com", "language": "de"})
	}
	settings := scim.Object{
		"notices": scim.Object{"recipients": recipients},
		"token": scim.Object{
			"lifetimeDays": int64(365), "noticeDays": int64(60),
			"reminders": []any{int64(50), int64(40), int64(30), int64(20), int64(10)},
		},
	}
	if _, err := w.Change(w.ctx, "acme", scim.Object{"name": strings.Repeat(`"`, 256), "settings": settings}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		c, err := w.CreateClient(w.ctx, "acme", tenant.NewClient{Scopes: []tenant.Scope{"write", "read"}})
		if conflict := (*tenant.ConflictError)(nil); errors.As(err, &conflict) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err = w.RenewClient(w.ctx, "acme", c.ID, tenant.NewClient{}); err != nil &&
			!errors.As(err, new(*tenant.ConflictError)) {
			t.Fatal(err)
		}
	}
	w.issue(t, "acme")
}

func TestClientEventsAndCost(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme")
	c, err := w.CreateClient(w.ctx, "acme", tenant.NewClient{})
	if err != nil {
		t.Fatal(err)
	}
	value := w.grant(t, "acme", c)
	ctx, meter := store.WithMeter(w.ctx)
	if _, token, err := w.Authenticate(ctx, "acme", tenant.ReadBearer(value)); err != nil || token.ID != c.ID ||
		!token.CanWrite() {
		t.Errorf("%+v %v", token, err)
	}
	if cost := meter.Total(); cost.Calls != 1 || cost.ReadUnits != 1 || cost.WriteUnits != 0 {
		t.Errorf("to check an access token costs %+v", cost)
	}
	w.Touch(w.ctx, "acme", c.ID)
	if got, err := w.Client(w.ctx, "acme", c.ID); err != nil || got.LastUsedAt.IsZero() {
		t.Errorf("%+v %v", got, err)
	}
	for _, e := range []error{
		w.RevokeClientSecret(w.ctx, "acme", c.ID, "x"),
		w.RevokeClientSecret(w.ctx, tenant.OperatorClients, c.ID, c.Secrets[0].ID),
		w.DeleteClient(w.ctx, "acme", "x"), w.DeleteClient(w.ctx, tenant.OperatorClients, "oc0000000000000000"),
	} {
		if !errors.Is(e, tenant.ErrNotFound) {
			t.Error(e)
		}
	}
	if err := errors.Join(w.RevokeClientSecret(w.ctx, "acme", c.ID, c.Secrets[0].ID),
		w.DeleteClient(w.ctx, "acme", c.ID)); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	announced := store.KeysOf("acme").MarkerPrefix(eventlog.AnnouncementKind)
	for item, err := range w.store.All(w.ctx, store.Query{PK: announced.PK, Prefix: announced.SK}) {
		if err != nil {
			t.Fatal(err)
		}
		doc, _ := item.Attrs["doc"].(string)
		if strings.Contains(doc, c.Secret) || strings.Contains(doc, "Digest") {
			t.Error("an event has a secret")
		}
		for _, kind := range []string{"client.created", "client.secret-revoked", "client.deleted"} {
			if strings.Contains(doc, kind) && strings.Contains(doc, c.ID) {
				kinds = append(kinds, kind)
			}
		}
	}
	if fmt.Sprint(kinds) != "[client.created client.secret-revoked client.deleted]" {
		t.Errorf("events %v", kinds)
	}
	if strings.Contains(w.log.String(), c.Secret) || strings.Contains(w.log.String(), value) {
		t.Error("the log has a secret")
	}
}

func FuzzAccessToken(f *testing.F) {
	c := newClock()
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: c.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = engine.Close() })
	st := store.New(engine, store.Options{})
	s := tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{Now: c.Now})
	if _, _, err := s.Create(f.Context(), tenant.NewTenant{ID: "acme", Name: "x"}); err != nil {
		f.Fatal(err)
	}
	client, err := s.CreateClient(f.Context(), "acme", tenant.NewClient{})
	if err != nil {
		f.Fatal(err)
	}
	good, err := s.Grant(f.Context(), "acme", tenant.ClientProof{ID: client.ID, Secret: client.Secret}, "", nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good.Value)
	f.Add(good.Value[:len(good.Value)-1] + "\n")
	f.Add("scim_at_" + strings.Repeat("A", 102))
	f.Fuzz(func(t *testing.T, value string) {
		_, _, err := s.Authenticate(t.Context(), "acme", tenant.ReadBearer("Bearer "+value))
		if unauthorized := (*tenant.UnauthorizedError)(nil); (err == nil) != (strings.TrimSpace(value) == good.Value) ||
			err != nil && !errors.As(err, &unauthorized) {
			t.Errorf("%q: %v", value, err)
		}
	})
}
