package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"keyholder/ent"
	"keyholder/ent/accessrequest"
	"keyholder/ent/incident"
	"keyholder/ent/run"
	"keyholder/internal/access"
	"keyholder/internal/approval"
	"keyholder/internal/audit"
	"keyholder/internal/breakglass"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
)

// AccessFile is a wish for access before it is filed.
type AccessFile struct {
	ID          string // of the act, so that a doubled click files once
	Eligibility string
	Role        string
	Length      catalog.Duration
	Starts      *time.Time
	Incident    string
	Run         string
	Reason      string
	Bypass      bool
}

// FileAccess asks for access. In an emergency that the eligibility allows for it begins at once, and all who would have been asked are
// named on it for ever.
func (s *Store) FileAccess(ctx context.Context, by access.Principal, f AccessFile) (breakglass.Request, error) {
	var r breakglass.Request
	err := s.personal(ctx, by.Person(), "access.file", f.Eligibility, func(t *tx) error {
		now, err := t.moment()
		if err != nil {
			return err
		}
		if rows, err := t.AccessRequest.Query().Where(accessrequest.ID(f.ID)).All(ctx); err != nil || len(rows) > 0 {
			if err == nil && rows[0].RequesterID != by.ID {
				err = fault.Late(RuleActTwice, "This form has been sent before, by somebody else.")
			}
			if err == nil {
				r, err = loadAccess(ctx, t.Client(), rows[0].Code)
			}
			return err
		}
		if by, err = s.principalNow(ctx, t, by); err != nil {
			return err
		}
		var ballot approval.Ballot
		if r, ballot, err = s.wished(t, by, f, now); err != nil {
			return err
		}
		if err := t.blocked(by, r, now); err != nil {
			return err
		}
		if f.Bypass {
			return s.bypass(t, by, &r, ballot, now)
		}
		return t.createAccess(r)
	})
	return r, err
}

// wished is a request as somebody asks for it. What they are not eligible for, and what nobody could approve, is refused.
func (s *Store) wished(t *tx, by access.Principal, f AccessFile, now time.Time) (r breakglass.Request, b approval.Ballot, err error) {
	version, err := s.Catalog(t.ctx)
	if err != nil {
		return r, b, err
	}
	e, ok := version.Eligibility(f.Eligibility)
	if !ok {
		return r, b, fault.Missing("eligibility", f.Eligibility)
	}
	system, _ := version.System(e.System)
	rules, err := approval.RulesOf(version.Catalog, breakglass.Asking(system, now))
	if err != nil {
		return r, b, err
	}
	if err := breakglass.MayAsk(by, e, rules.Objects()); err != nil {
		return r, b, err
	}
	wish := breakglass.Wish{Reason: f.Reason, Terms: breakglass.Terms{
		Eligibility: e, System: system, Role: f.Role, Length: f.Length, Starts: f.Starts, Incident: f.Incident, Run: f.Run, Bypass: f.Bypass,
		Catalog: version.Version,
	}}
	if wish.Cause, wish.Incident, err = t.occasion(f); err != nil {
		return r, b, err
	}
	if err := wish.Check(version.Catalog, now); err != nil {
		return r, b, err
	}
	if wish.Rules, err = rules.Digest(); err != nil {
		return r, b, err
	}
	if b, err = s.balloted(t.ctx, t.Client(), rules, by.Person(), nil, nil); err != nil {
		return r, b, err
	}
	if err := t.somebodyCan(version.Catalog, b); err != nil {
		return r, b, err
	}
	r = breakglass.Request{
		Question: approval.Question{
			ID: f.ID, Code: newCode("AC"), Requester: by.Person(), State: approval.Requested, Round: 1, Open: true, FiledAt: now, ExpiresAt: now.Add(rules.Lifetime()),
		},
		Terms: wish.Terms, Reason: f.Reason, Allowed: f.Length,
	}
	r.Digest, err = r.Terms.Digest()
	return r, b, err
}

// occasion is the cause and the code of the incident that a wish is for, which must be open; and so must its run.
func (t *tx) occasion(f AccessFile) (cause, code string, err error) {
	code = f.Incident
	if f.Run != "" {
		row, err := t.Run.Query().Where(run.Code(f.Run)).Only(t.ctx)
		switch {
		case ent.IsNotFound(err) || err == nil && failover.State(row.State).Final():
			return "", "", fault.Wrong{"run": "There is no such run, or it is over."}.Err()
		case err != nil:
			return "", "", fmt.Errorf("load run %s: %w", f.Run, err)
		case code != "" && code != row.Incident:
			return "", "", fault.Wrong{"run": "is of another incident"}.Err()
		}
		code = row.Incident
	}
	if code == "" {
		return "", "", nil
	}
	if err := t.joins(code); err != nil {
		return "", "", err
	}
	row, err := t.Incident.Query().Where(incident.Code(code)).Only(t.ctx)
	if err != nil {
		return "", "", fmt.Errorf("load incident %s: %w", code, err)
	}
	return string(row.Cause), code, nil
}

// blocked refuses to ask for what is frozen, and to ask again before somebody has looked at what was done before.
func (t *tx) blocked(by access.Principal, r breakglass.Request, now time.Time) error {
	holder := breakglass.Holder{ID: by.ID, Name: by.Name, Mail: by.Mail}
	before, err := past(t.ctx, t.Client(), holder, r.Terms.System.Slug, now)
	if err != nil {
		return err
	}
	return before.Blocks(breakglass.Grant{Holder: holder, System: r.Terms.System.Slug, Role: r.Terms.Role, Code: r.Code}, now)
}

// bypass lets somebody begin without approval. Whoever would have been asked stands on it.
func (s *Store) bypass(t *tx, by access.Principal, r *breakglass.Request, b approval.Ballot, now time.Time) error {
	version, err := s.Catalog(t.ctx)
	if err != nil {
		return err
	}
	everybody, err := t.electorate(version.Catalog)
	if err != nil {
		return err
	}
	for _, v := range b.Able(everybody) {
		if !approval.Stranger(v.Principal) {
			r.Skipped = append(r.Skipped, v.Person())
		}
	}
	r.State, r.DecidedAt = approval.Approved, &now
	if err := t.createAccess(*r); err != nil {
		return err
	}
	*r, err = s.begin(t, by, *r, now)
	return err
}

func (t *tx) createAccess(r breakglass.Request) error {
	t.changed, t.access = true, true
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write %s: %w", r.Code, err)
	}
	err = t.AccessRequest.Create().SetID(r.ID).SetCode(r.Code).SetEligibility(r.Terms.Eligibility.Slug).SetSystem(r.Terms.System.Slug).
		SetIncident(r.Terms.Incident).SetRun(r.Terms.Run).SetDigest(r.Digest).SetRequesterID(r.Requester.ID).SetRequesterName(r.Requester.Name).
		SetState(r.State).SetRound(r.Round).SetOpen(r.Open).SetFiledAt(r.FiledAt).SetExpiresAt(r.ExpiresAt).SetNillableDecidedAt(r.DecidedAt).SetBody(body).Exec(t.ctx)
	if err != nil {
		return fmt.Errorf("save %s: %w", r.Code, err)
	}
	text := fmt.Sprintf("%s asked for %s on %s for %s (%s): %s", r.Requester.Name, r.Terms.Role, r.Terms.System.Name, catalog.Lasting(r.Terms.Length.D()), r.Code, r.Reason)
	if r.Terms.Bypass {
		names := make([]string, len(r.Skipped))
		for i, p := range r.Skipped {
			names[i] = p.Name
		}
		text = fmt.Sprintf("EMERGENCY, without approval: %s. Skipped: %s.", text, strings.Join(names, ", "))
	}
	t.record(audit.Event{Action: "access.file", Object: r.Code, Text: text, Detail: detail(map[string]any{
		"terms": r.Terms, "digest": r.Digest, "reason": r.Reason, "skipped": r.Skipped,
	})})
	return nil
}
