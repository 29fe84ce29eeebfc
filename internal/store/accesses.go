package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"entgo.io/ent/dialect/sql"

	"keyholder/ent"
	"keyholder/ent/accessfinding"
	"keyholder/ent/accessgrant"
	"keyholder/ent/accesslock"
	"keyholder/ent/accessrequest"
	"keyholder/ent/predicate"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/breakglass"
	"keyholder/internal/fault"
)

// AccessCode begins the code of a request for access.
const AccessCode = "AC-"

// moment takes the turn of a transaction, so that acts on access follow one another, and says what time counts for access.
func (t *tx) moment() (time.Time, error) {
	highest, err := t.highest()
	t.kept = t.clock.now(highest)
	return t.kept, err
}

// AccessNow is the time that counts for access: the clock, but never earlier than the highest time that was ever kept. Unlike what is
// read of the database, it goes on while nothing changes.
func (s *Store) AccessNow(ctx context.Context) (time.Time, error) {
	at, err := s.momentOf(ctx)
	return s.clock.now(time.UnixMicro(at.clock).UTC()), err
}

// accessClock is the time that counts for access in this process.
type accessClock struct {
	mu      sync.Mutex
	clock   breakglass.Clock
	machine func() time.Time
}

// now is the time that counts, to the microsecond, when that is the highest that was kept.
func (c *accessClock) now(kept time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clock.Now(c.machine(), kept).UTC().Truncate(time.Microsecond)
}

// accessRead is all that is open about access, as it stood when it had been saved so often. Every page asks for it, and it mostly stays.
type accessRead struct {
	saved    int64
	requests []breakglass.Request
	locks    []breakglass.Lock
	findings []breakglass.Finding
}

// openAccess reads what is open about access where something of it has been saved since it was last read. It may be newer than asked
// for, never older.
func (s *Store) openAccess(ctx context.Context) (*accessRead, error) {
	at, err := s.momentOf(ctx)
	if err != nil {
		return nil, err
	}
	return s.openAccessAt(ctx, at)
}

func (s *Store) openAccessAt(ctx context.Context, at moment) (read *accessRead, err error) {
	if kept := s.access.Load(); kept != nil && kept.saved >= at.access {
		return kept, nil
	}
	read = &accessRead{saved: at.access}
	if read.requests, err = s.readOpenAccess(ctx); err != nil {
		return nil, err
	}
	if read.locks, err = locksOn(ctx, s.client); err != nil {
		return nil, err
	}
	read.findings, err = findingsOf(s.client.AccessFinding.Query().Where(accessfinding.Open(true)).Order(accessfinding.BySeenAt()).All(ctx))
	if err == nil {
		s.access.Store(read)
	}
	return read, err
}

func accessOf(row *ent.AccessRequest, votes []*ent.Decision, grant *breakglass.Grant) (breakglass.Request, error) {
	r := breakglass.Request{Grant: grant}
	if err := json.Unmarshal(row.Body, &r); err != nil {
		return r, fmt.Errorf("read %s: %w", row.Code, err)
	}
	r.Question = approval.Question{
		ID: row.ID, Code: row.Code, Digest: row.Digest, Requester: access.Person{ID: row.RequesterID, Name: row.RequesterName},
		State: row.State, Round: row.Round, Open: row.Open, FiledAt: row.FiledAt.UTC(), ExpiresAt: row.ExpiresAt.UTC(),
		DecidedAt: utc(row.DecidedAt), Version: row.Revision, Decisions: decisionsOf(votes),
	}
	return r, nil
}

func grantOf(row *ent.AccessGrant) (breakglass.Grant, error) {
	g := breakglass.Grant{}
	if err := json.Unmarshal(row.Body, &g); err != nil {
		return g, fmt.Errorf("read the grant %s: %w", row.Code, err)
	}
	g.Version = row.Revision
	return g, nil
}

func grantsOf(ctx context.Context, q *ent.AccessGrantQuery) ([]breakglass.Grant, error) {
	rows, err := q.Order(accessgrant.ByEndsAt(sql.OrderDesc())).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load grants: %w", err)
	}
	all := make([]breakglass.Grant, len(rows))
	for i, row := range rows {
		if all[i], err = grantOf(row); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// accessesOf loads requests with their votes and grants.
func accessesOf(ctx context.Context, c *ent.Client, rows []*ent.AccessRequest) ([]breakglass.Request, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	votes, err := votesOn(ctx, c, ids)
	if err != nil {
		return nil, err
	}
	grants, err := grantsOf(ctx, c.AccessGrant.Query().Where(accessgrant.IDIn(ids...)))
	if err != nil {
		return nil, err
	}
	by := map[string]*breakglass.Grant{}
	for i := range grants {
		by[grants[i].ID] = &grants[i]
	}
	all := make([]breakglass.Request, len(rows))
	for i, row := range rows {
		if all[i], err = accessOf(row, votes[row.ID], by[row.ID]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func loadAccess(ctx context.Context, c *ent.Client, code string) (breakglass.Request, error) {
	rows, err := c.AccessRequest.Query().Where(accessrequest.Code(code)).All(ctx)
	if err != nil {
		return breakglass.Request{}, fmt.Errorf("load %s: %w", code, err)
	}
	if len(rows) == 0 {
		return breakglass.Request{}, fault.Missing("request for access", code)
	}
	all, err := accessesOf(ctx, c, rows)
	if err != nil {
		return breakglass.Request{}, err
	}
	return all[0], nil
}

// Access loads a request for access by its code, with the grant that came of it.
func (s *Store) Access(ctx context.Context, code string) (breakglass.Request, error) {
	return readOnce(ctx, "access "+code, func() (breakglass.Request, error) { return loadAccess(ctx, s.client, code) })
}

// OpenAccess are the requests that wait for people, may still begin, give access, or are owed something, the oldest first.
func (s *Store) OpenAccess(ctx context.Context) ([]breakglass.Request, error) {
	read, err := s.openAccess(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(read.requests), nil
}

func (s *Store) readOpenAccess(ctx context.Context) ([]breakglass.Request, error) {
	owed, err := s.client.AccessGrant.Query().Where(accessgrant.Or(accessgrant.Open(true), accessgrant.Reviewed(false))).Select(accessgrant.FieldID).Strings(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for open grants: %w", err)
	}
	return s.accesses(ctx, 0, accessrequest.Or(
		accessrequest.StateEQ(approval.Requested), accessrequest.And(accessrequest.StateEQ(approval.Approved), accessrequest.Begun(false)), accessrequest.IDIn(owed...),
	))
}

// LatestAccess are the newest requests: all, somebody's, or those of an incident.
func (s *Store) LatestAccess(ctx context.Context, requester, incident string, most int) ([]breakglass.Request, error) {
	var where []predicate.AccessRequest
	if requester != "" {
		where = append(where, accessrequest.RequesterID(requester))
	}
	if incident != "" {
		where = append(where, accessrequest.Incident(incident))
	}
	return s.accesses(ctx, most, where...)
}

func (s *Store) accesses(ctx context.Context, most int, where ...predicate.AccessRequest) ([]breakglass.Request, error) {
	query := s.client.AccessRequest.Query().Where(where...)
	if most > 0 {
		query.Order(accessrequest.ByFiledAt(sql.OrderDesc())).Limit(most)
	} else {
		query.Order(accessrequest.ByFiledAt())
	}
	rows, err := query.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load requests for access: %w", err)
	}
	return accessesOf(ctx, s.client, rows)
}

// saveAccess writes what can change of a request, guarded by the version that was loaded.
func (t *tx) saveAccess(r breakglass.Request, begun bool) error {
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write %s: %w", r.Code, err)
	}
	n, err := t.AccessRequest.Update().Where(accessrequest.ID(r.ID), accessrequest.Revision(r.Version)).
		SetState(r.State).SetRound(r.Round).SetOpen(r.Open).SetNillableDecidedAt(r.DecidedAt).SetChangedAt(t.now).SetBegun(begun).SetBody(body).SetRevision(r.Version + 1).Save(t.ctx)
	if err != nil {
		return fmt.Errorf("save %s: %w", r.Code, err)
	}
	if n == 0 {
		return errStale
	}
	t.changed, t.access = true, true
	return nil
}

// saveGrant writes what can change of a grant, guarded by the version that was loaded.
func (t *tx) saveGrant(g breakglass.Grant) error {
	body, err := json.Marshal(g)
	if err != nil {
		return fmt.Errorf("write the grant %s: %w", g.Code, err)
	}
	n, err := t.AccessGrant.Update().Where(accessgrant.ID(g.ID), accessgrant.Revision(g.Version)).
		SetEndsAt(g.End()).SetChangedAt(t.now).SetOpen(g.Open()).SetReviewed(g.Review != nil || g.Confirmed != nil && !g.Used()).SetBody(body).SetRevision(g.Version + 1).Save(t.ctx)
	if err != nil {
		return fmt.Errorf("save the grant %s: %w", g.Code, err)
	}
	if n == 0 {
		return errStale
	}
	t.changed, t.access = true, true
	return nil
}

func (t *tx) createGrant(g breakglass.Grant) error {
	t.changed, t.access = true, true
	body, err := json.Marshal(g)
	if err != nil {
		return fmt.Errorf("write the grant %s: %w", g.Code, err)
	}
	err = t.AccessGrant.Create().SetID(g.ID).SetCode(g.Code).SetSystem(g.System).SetRole(g.Role).SetHolderID(g.Holder.ID).
		SetHolderMail(strings.ToLower(g.Holder.Mail)).SetRun(g.Run).SetEndsAt(g.End()).SetChangedAt(t.now).SetBody(body).Exec(t.ctx)
	if err != nil {
		return fmt.Errorf("save the grant %s: %w", g.Code, err)
	}
	return nil
}

// past is what bears on access of a holder to a system: what they and others have there, what has not been looked at, and the locks.
func past(ctx context.Context, c *ent.Client, holder breakglass.Holder, system string, now time.Time) (breakglass.Past, error) {
	grants, err := grantsOf(ctx, c.AccessGrant.Query().Where(
		accessgrant.Or(heldBy(holder), accessgrant.System(system)), accessgrant.Or(accessgrant.Open(true), accessgrant.Reviewed(false), accessgrant.EndsAtGT(now.Add(-unbroken))),
	))
	if err != nil {
		return breakglass.Past{}, err
	}
	locks, err := locksOn(ctx, c)
	return breakglass.Past{Grants: grants, Locks: locks}, err
}

// heldBy are the grants of a person, under whichever of their accounts.
func heldBy(holder breakglass.Holder) predicate.AccessGrant {
	if holder.Mail == "" {
		return accessgrant.HolderID(holder.ID)
	}
	return accessgrant.Or(accessgrant.HolderID(holder.ID), accessgrant.HolderMail(strings.ToLower(holder.Mail)))
}

// unbroken is how far back grants are looked at that may touch what comes after.
const unbroken = 30 * 24 * time.Hour

func locksOn(ctx context.Context, c *ent.Client) ([]breakglass.Lock, error) {
	rows, err := c.AccessLock.Query().Where(accesslock.Lifted(false)).Order(accesslock.ByAt()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load locks: %w", err)
	}
	return locksOf(rows)
}

func locksOf(rows []*ent.AccessLock) ([]breakglass.Lock, error) {
	locks := make([]breakglass.Lock, len(rows))
	for i, row := range rows {
		if err := json.Unmarshal(row.Body, &locks[i]); err != nil {
			return nil, fmt.Errorf("read lock %s: %w", row.ID, err)
		}
	}
	return locks, nil
}

// Locks are the locks that are on, the oldest first.
func (s *Store) Locks(ctx context.Context) ([]breakglass.Lock, error) {
	read, err := s.openAccess(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(read.locks), nil
}

// Holds is what somebody effectively has on a system now, by the record alone.
func (s *Store) Holds(ctx context.Context, person, system string) ([]breakglass.Has, error) {
	now, err := s.AccessNow(ctx)
	if err != nil {
		return nil, err
	}
	grants, err := grantsOf(ctx, s.client.AccessGrant.Query().Where(accessgrant.HolderID(person), accessgrant.System(system), accessgrant.Open(true)))
	if err != nil {
		return nil, err
	}
	locks, err := locksOn(ctx, s.client)
	return breakglass.Effective(grants, locks, now), err
}
