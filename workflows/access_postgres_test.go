package workflows

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/testsuite"

	"keyholder/internal/access"
	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	"keyholder/internal/connector/pgrole"
	"keyholder/internal/store"
	"keyholder/internal/testkit/postgres"
)

// movable is a clock that a test moves.
type movable struct {
	mu  sync.Mutex
	now time.Time
}

func (c *movable) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *movable) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

// TestTwoHundredHistoriesOnARealPostgreSQL: after each act, whoever has which role there is what the union of the grants says.
func TestTwoHundredHistoriesOnARealPostgreSQL(t *testing.T) {
	if _, err := postgres.Find(); err != nil && os.Getenv("KEYHOLDER_TEST_REQUIRE") == "" {
		t.Skip(err)
	}
	server, err := postgres.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	reference := filepath.Join(t.TempDir(), "administrator")
	if err := os.WriteFile(reference, []byte(server.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	admin, err := pgx.Connect(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close(context.Background()) })
	if _, err := admin.Exec(t.Context(), "CREATE ROLE reader; CREATE ROLE writer"); err != nil {
		t.Fatal(err)
	}
	clock := &movable{now: time.Now()}
	s := newAccessStageOn(t, clock.Now, fmt.Sprintf(`{"connection":"file:%s"}`, reference), pgrole.New(connector.NewSecrets(nil)))
	activities := new(testsuite.WorkflowTestSuite).NewTestActivityEnvironment()
	activities.RegisterActivity(s.activities.Settle)
	var people []access.Principal // few: everybody is looked at to see who could approve
	for n := range 4 {
		people = append(people, (&stage{Store: s.Store, t: t}).someone(fmt.Sprintf("Holder %d", n), "platform-engineers"))
	}
	for seed := range uint64(200) {
		h := &pgHistory{accessStage: s, clock: clock, random: rand.New(rand.NewPCG(seed, 3)), admin: admin}
		h.settle = func() {
			if _, err := activities.ExecuteActivity(s.activities.Settle, AccessInput{System: "db", Person: h.rosa.ID}); err != nil {
				t.Fatal(err)
			}
		}
		h.rosa = people[seed%uint64(len(people))]
		for range 3 {
			h.act()
			h.settle()
			h.check(seed)
		}
		h.closes()
	}
}

// pgHistory is a run of random acts on one person's access.
type pgHistory struct {
	*accessStage
	clock  *movable
	random *rand.Rand
	admin  *pgx.Conn
	settle func()
	codes  []string
	lock   *breakglass.Lock
}

func (h *pgHistory) act() {
	h.clock.add(time.Duration(h.random.IntN(8)) * time.Minute)
	h.settle()
	h.looksAtUses()
	switch n := h.random.IntN(6); {
	case h.lock == nil && (n < 3 || len(h.codes) == 0):
		h.codes = append(h.codes, h.begun([]string{"reader", "writer"}[h.random.IntN(2)], time.Duration(1+h.random.IntN(4))*catalog.Step))
	case n == 3:
		if code := h.codes[h.random.IntN(len(h.codes))]; !h.grant(code).Ends(h.Now()) {
			h.command(code, h.rosa, store.ReturnAccess, "")
		}
	case n == 4 && h.lock == nil:
		lock, err := h.Freeze(h.t.Context(), h.ann, store.LockFile{ID: store.NewID(), Kind: breakglass.LockPerson, Subject: h.rosa.ID, Why: "Is it they?"})
		if err != nil {
			h.t.Fatal(err)
		}
		h.lock = &lock
	case h.lock != nil:
		h.release()
	}
}

func (h *pgHistory) release() {
	if err := h.Release(h.t.Context(), h.ann, h.lock.ID, "It was they"); err != nil {
		h.t.Fatal(err)
	}
	h.lock = nil
}

// check compares what PostgreSQL says with what the grants say, each by itself.
func (h *pgHistory) check(seed uint64) {
	h.t.Helper()
	var want []string
	for _, code := range h.codes {
		if g := h.grant(code); h.lock == nil && g.Holds(h.Now()) && !slices.Contains(want, g.Role) {
			want = append(want, g.Role)
		}
	}
	slices.Sort(want)
	account, err := h.AccountOf(h.t.Context(), "db", h.rosa.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	rows, err := h.admin.Query(h.t.Context(), "SELECT r.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member JOIN pg_roles r ON r.oid = a.roleid WHERE m.rolname = $1 ORDER BY 1", account.Name)
	if err != nil {
		h.t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || !slices.Equal(got, want) {
		h.t.Fatalf("history %d: PostgreSQL gives %v, the grants %v: %v", seed, got, want, err)
	}
}

// closes ends all of it, so that the next history may begin.
func (h *pgHistory) closes() {
	if h.lock != nil {
		h.release()
	}
	h.clock.add(time.Hour)
	h.settle()
	h.check(0)
	h.looksAtUses()
}

// looksAtUses has somebody look at what was used and has ended, so that more may be asked for.
func (h *pgHistory) looksAtUses() {
	for _, code := range h.codes {
		if h.grant(code).Unreviewed(h.Now()) {
			h.command(code, h.ann, store.ReviewAccess, "All is well")
		}
	}
}
