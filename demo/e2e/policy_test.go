package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keyholder/internal/approval"
	"keyholder/internal/failover"
)

// keyholder runs the product's own program beside the portal that runs.
func (w *world) keyholder(args ...string) string {
	w.t.Helper()
	bin := filepath.Join(w.t.TempDir(), "keyholder")
	if out, err := exec.CommandContext(w.t.Context(), "go", "build", "-o", bin, "keyholder/cmd/keyholder").CombinedOutput(); err != nil {
		w.t.Fatalf("build keyholder: %v: %s", err, out)
	}
	cmd := exec.CommandContext(w.t.Context(), bin, args...)
	cmd.Env = append(os.Environ(), "KEYHOLDER_DATABASE="+filepath.Join(w.dir, "keyholder.db"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("keyholder %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// apply puts the demo's catalogue in force, changed.
func (w *world) apply(changes ...string) string {
	w.t.Helper()
	body, err := os.ReadFile(filepath.Join(w.dir, "catalog.yaml"))
	if err != nil {
		w.t.Fatal(err)
	}
	text := string(body)
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(text, changes[i]) {
			w.t.Fatalf("the catalogue does not say %q", changes[i])
		}
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	file := filepath.Join(w.t.TempDir(), "catalog.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return w.keyholder("catalog", "apply", file)
}

// closedGate is a gate that never holds and may be overridden.
const closedGate = `  - slug: change-freeze
    name: No change freeze
    connector: http
    params: {observe: {url: "${to.url}/status"}}
    expect:
      - {pointer: /state, is: eq, value: thawed}
    override: true
`

func TestWhatIsPublishedWhilePeopleVoteIsShownAndTwoApproversAndASecondPersonDecide(t *testing.T) {
	w := newWorld(t)
	ines, bea, hugo := w.signIn("ines"), w.signIn("bea"), w.signIn("hugo")
	code := w.waiting(ines)
	w.settled(code)
	said := w.apply("role: business-owner, persons: 1", "role: business-owner, persons: 2", "steps:\n  - slug: drain\n", closedGate+"steps:\n  - slug: drain\n")
	if !strings.Contains(said, "Version 2 of plan") {
		t.Fatalf("keyholder says: %s", said)
	}
	w.until("the page says that votes are void", 10*time.Second, func() bool {
		return strings.Contains(text(bea.get("/a/"+code).Find("[data-field=change]")), "No change freeze")
	})
	if page := bea.get("/a/" + code); page.Find(approveButton).Length() != 0 {
		t.Error("somebody may vote before the requester has confirmed the difference")
	}
	ines.submit(ines.get("/a/"+code), "Confirm the difference", nil)
	w.until("the first vote", 20*time.Second, func() bool {
		bea.submit(bea.get("/a/"+code), "Approve", nil)
		r, err := w.store.Request(t.Context(), code)
		return err == nil && len(r.Votes()) == 1
	})
	if r, err := w.store.Request(t.Context(), code); err != nil || r.State != approval.Requested {
		t.Fatalf("after one of two votes: %s, %v", r.State, err)
	}
	w.approve(hugo, code)
	run := w.waitState(code, 30*time.Second, failover.Blocked)
	if !strings.Contains(run.Why, "No change freeze") || run.Times.Promoted != nil {
		t.Fatalf("blocked because %q", run.Why)
	}
	ines.submit(ines.get("/runs/"+code), "Propose: Override", map[string]string{"note": "The freeze is for releases"})
	x := w.run(code).Exceptions[0]
	if own := ines.get("/runs/" + code); strings.Contains(text(own.Find("button")), "Confirm as second person") {
		t.Error("the proposer is offered to confirm")
	}
	bea.submit(bea.get("/runs/"+code), "Confirm as second person", map[string]string{"code": x.Code()})
	run = w.waitState(code, 60*time.Second, failover.Recovered)
	if !run.WithExceptions() {
		t.Error("the run does not say that it had exceptions")
	}
	w.keepHistory("confirmed-anew-and-overridden", code)
}
