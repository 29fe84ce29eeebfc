package store_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"keyholder/internal/approval"
	"keyholder/internal/catalog"
	"keyholder/internal/failover"
	"keyholder/internal/fault"
	"keyholder/internal/store"
)

// TestEveryRefusalOfAPersonalActIsOnRecordWithItsRule: what a rule keeps somebody from doing is known afterwards.
func TestEveryRefusalOfAPersonalActIsOnRecordWithItsRule(t *testing.T) {
	of := func(out store.Outcome, err error) error {
		if err == nil {
			err = out.Err()
		}
		return err
	}
	for action, c := range map[string]struct {
		rule string
		do   func(*testing.T, governed) error
	}{
		"request.file": {failover.RuleCauseFirst, func(t *testing.T, w governed) error {
			f := w.wish(t)
			f.Terms.Cause = failover.CauseRelease
			_, err := w.FileRequest(w.ctx, w.known(t, "carl", "incident-commanders"), f)
			return err
		}},
		"request.decide": {approval.RuleTwoPeople, func(t *testing.T, w governed) error {
			carl := w.known(t, "carl", "incident-commanders")
			return w.vote(t, w.file(t, carl), carl, approval.Approve).Err()
		}},
		"request.pass": {approval.RuleTwoPeople, func(t *testing.T, w governed) error {
			carl := w.known(t, "carl", "incident-commanders")
			return of(w.Pass(w.ctx, store.Amend{ID: store.NewID(), Code: w.file(t, carl).Code, By: carl}))
		}},
		"request.withdraw": {approval.RuleOwner, func(t *testing.T, w governed) error {
			return of(w.Withdraw(w.ctx, store.Amend{ID: store.NewID(), Code: w.file(t, w.known(t, "carl", "incident-commanders")).Code, By: w.bea}))
		}},
		"request.confirm": {approval.RuleOwner, func(t *testing.T, w governed) error {
			return of(w.ConfirmAnew(w.ctx, store.Amend{ID: store.NewID(), Code: w.file(t, w.known(t, "carl", "incident-commanders")).Code, By: w.bea, Shown: "x"}))
		}},
		"run.pause": {failover.RuleSteer, func(t *testing.T, w governed) error {
			r := w.file(t, w.known(t, "carl", "incident-commanders"))
			w.vote(t, r, w.bea, approval.Approve)
			if _, err := w.Claim(w.ctx, r.Code); err != nil {
				t.Fatal(err)
			}
			return of(w.Command(w.ctx, store.Command{ID: store.NewID(), Code: r.Code, By: w.bea, Steer: failover.SteerPause}))
		}},
		"incident.close": {"state", func(t *testing.T, w governed) error {
			in, err := w.OpenIncident(w.ctx, w.bea, store.Incident{ID: store.NewID(), Title: "Odd", Cause: failover.CauseUnknown, ImpactAt: w.Now()})
			if err == nil {
				err = w.CloseIncident(w.ctx, w.bea, in.Code)
			}
			if err != nil {
				t.Fatal(err)
			}
			return w.CloseIncident(w.ctx, w.bea, in.Code)
		}},
		"catalog.edit": {store.RuleFourEyes, func(t *testing.T, w governed) error {
			_, err := w.EditRecord(w.ctx, w.bea, edited(t, w.world, checkout, owner("Hugo")))
			return err
		}},
		"catalog.apply": {store.RuleFourEyes, func(t *testing.T, w governed) error {
			e := edited(t, w.world, checkout, owner("Hugo"))
			_, err := w.Apply(w.ctx, w.ada.Person(), store.Bundle{Records: []catalog.Entry{{Ref: e.Ref, Record: e.Record}}}, store.Manner{})
			return err
		}},
		"change.file": {store.RuleEditedMeanwhile, func(t *testing.T, w governed) error {
			e := edited(t, w.world, checkout, owner("Hugo"))
			e.Base = 999
			_, err := w.ProposeEdit(w.ctx, w.bea, store.NewID(), e)
			return err
		}},
		"change.draft": {store.RuleEditedMeanwhile, func(t *testing.T, w governed) error {
			e := edited(t, w.world, checkout, owner("Hugo"))
			e.Base = 999
			return w.AddToDraft(w.ctx, w.bea.Person(), e)
		}},
		"change.decide": {approval.RuleTwoPeople, func(t *testing.T, w governed) error {
			return w.decides(t, w.propose(t, w.bea, edited(t, w.world, checkout, owner("Hugo"))).Code, w.bea, approval.Approve).Err()
		}},
		"change.withdraw": {approval.RuleOwner, func(t *testing.T, w governed) error {
			r := w.propose(t, w.bea, edited(t, w.world, checkout, owner("Hugo")))
			return of(w.WithdrawChange(w.ctx, store.Amend{ID: store.NewID(), Code: r.Code, By: w.hugo}))
		}},
		"change.confirm": {approval.RuleOwner, func(t *testing.T, w governed) error {
			r := w.propose(t, w.bea, edited(t, w.world, checkout, owner("Hugo")))
			return of(w.ConfirmChange(w.ctx, store.Amend{ID: store.NewID(), Code: r.Code, By: w.hugo, Shown: "x"}))
		}},
		"order.revoke": {store.RuleOrderGone, func(_ *testing.T, w governed) error { return w.RevokeOrder(w.ctx, w.bea, "none", "why") }},
		"finding.accept": {"finding-stands", func(_ *testing.T, w governed) error {
			return w.AcceptFinding(w.ctx, w.bea, store.Acceptance{Key: "none"})
		}},
		"roles.review": {store.RuleSignedAsShown, func(_ *testing.T, w governed) error {
			by := w.ada
			by.SignedInAt = w.Now()
			_, err := w.SignReview(w.ctx, by, store.Review{ID: store.NewID(), Digest: "x"})
			return err
		}},
	} {
		t.Run(action, func(t *testing.T) {
			eachGoverned(t, func(t *testing.T, w governed) {
				err := c.do(t, w)
				f := fault.As(err)
				if f == nil || f.Rule != c.rule {
					t.Fatalf("it is not refused by %s: %v", c.rule, err)
				}
				said := w.record(t, store.Filter{Action: action, Outcome: "refused"})
				if len(said) != 1 || said[0].Rule != c.rule || said[0].Text != f.Message || said[0].Actor.ID == "" {
					t.Errorf("on record: %+v", said)
				}
			})
		})
	}
}

// TestNoPersonalActRefusesBesideTheRecord reads the code: what names somebody who acts refuses only where that is recorded.
func TestNoPersonalActRefusesBesideTheRecord(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	acts := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || !f.Name.IsExported() || !namesWhoActs(f) {
				continue
			}
			acts++
			ast.Inspect(f.Body, func(n ast.Node) bool {
				call, is := n.(*ast.CallExpr)
				if !is {
					return true
				}
				switch called(call) {
				case "s.personal", "s.answer":
					return false
				case "fault.Refused", "fault.Late", "s.act":
					if !slices.Contains(unrefused, f.Name.Name) {
						t.Errorf("%s: %s is beside the record in %s", set.Position(call.Pos()), called(call), f.Name.Name)
					}
				}
				return true
			})
		}
	}
	if acts < 15 {
		t.Errorf("only %d acts were found: the test looks in the wrong place", acts)
	}
}

// unrefused are no acts that something refuses: leaving, what an outlet says of itself, a try that changes nothing, and what keeps a refusal.
var unrefused = []string{"SignedOut", "ReportOutlet", "TryTerms", "Refused"}

func namesWhoActs(f *ast.FuncDecl) bool {
	return slices.ContainsFunc(f.Type.Params.List, func(p *ast.Field) bool {
		switch typed := p.Type.(type) {
		case *ast.SelectorExpr:
			of, ok := typed.X.(*ast.Ident)
			return ok && of.Name == "access" && (typed.Sel.Name == "Principal" || typed.Sel.Name == "Person")
		case *ast.Ident:
			return typed.Name == "Vote" || typed.Name == "Amend" || typed.Name == "Command"
		}
		return false
	})
}

func called(call *ast.CallExpr) string {
	of, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	in, ok := of.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return in.Name + "." + of.Sel.Name
}
