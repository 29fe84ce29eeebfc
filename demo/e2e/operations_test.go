package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"keyholder/internal/failover"
)

// foreground is "make run" without the build: everything in one process.
type foreground struct {
	*world
	cmd  *exec.Cmd
	said *lines
}

func newForeground(t *testing.T) *foreground {
	t.Helper()
	return &foreground{world: emptyWorld(t)}
}

// run starts the demo and waits until it says that it is up.
func (f *foreground) run() {
	f.t.Helper()
	f.said = &lines{}
	f.cmd = exec.Command(f.bin, "run")
	out := io.MultiWriter(f.said, f.world.said)
	f.cmd.Env, f.cmd.Stdout, f.cmd.Stderr = f.env, out, out
	if err := f.cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	cmd := f.cmd
	f.t.Cleanup(func() {
		if cmd.Process.Kill() == nil {
			_ = cmd.Wait() // killed, as it should be
		}
	})
	f.until("Keyholder is up", 60*time.Second, func() bool { return strings.Contains(f.said.tail(), "Ctrl-C stops") })
}

// interrupt is Ctrl-C; it wants a clean end.
func (f *foreground) interrupt() {
	f.t.Helper()
	if err := f.cmd.Process.Signal(syscall.SIGINT); err != nil {
		f.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- f.cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			f.t.Errorf("after Ctrl-C: %v: %s", err, f.said.tail())
		}
	case <-time.After(20 * time.Second):
		f.t.Fatalf("it does not end: %s", f.said.tail())
	}
}

func TestCtrlCStopsCleanlyAndTheNextStartGoesOn(t *testing.T) {
	f := newForeground(t)
	f.run()
	for _, want := range []string{f.base, "Incident commander", "Auditor", f.dir} {
		if !strings.Contains(f.said.tail(), want) {
			t.Errorf("the greeting does not say %q: %s", want, f.said.tail())
		}
	}
	if err := f.readPorts(); err != nil {
		t.Fatal(err)
	}
	ports := fmt.Sprint(f.ports)
	ines := f.signIn("ines")
	drill := map[string]string{"cause": "unknown", "reason": "Drill"}
	f.until("the worker has seen both sites", 20*time.Second, func() bool {
		start := ines.get("/plans/move-checkout/move")
		if start.Find("input[name=from][checked]").Length() != 1 {
			return false
		}
		check := ines.submit(start, "Check what this would do", drill)
		return strings.Contains(text(check.Find("button")), "Request approval")
	})
	code := f.request(ines, ines.get("/plans/move-checkout/move"), drill)
	f.interrupt()

	f.run()
	if err := f.readPorts(); err != nil || fmt.Sprint(f.ports) != ports {
		t.Errorf("ports were %s and are %v, %v", ports, f.ports, err)
	}
	if seen := text(ines.get("/a/" + code).Find("main")); !strings.Contains(seen, "Drill") {
		t.Errorf("after the restart, in the same session, the request says: %s", seen)
	}
	bea := f.signIn("bea")
	f.until("the approval", 30*time.Second, func() bool {
		return bea.submit(bea.get("/a/"+code), "Approve", nil).url.Path == "/runs/"+code
	})
	f.until("the move back and forth", 60*time.Second, func() bool {
		return strings.Contains(text(ines.get("/runs/"+code).Find("main")), "Customers can buy again")
	})
	f.interrupt()
}

func TestAPortThatIsTakenIsNamed(t *testing.T) {
	f := newForeground(t)
	address := strings.TrimPrefix(f.base, "http://localhost")
	l, err := net.Listen("tcp", "127.0.0.1"+address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	var said bytes.Buffer
	cmd := exec.Command(f.bin, "run")
	cmd.Env, cmd.Stdout, cmd.Stderr = f.env, &said, &said
	var failed *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &failed) || failed.ExitCode() != 1 {
		t.Errorf("it ended with %v", err)
	}
	for _, want := range []string{"127.0.0.1" + address, "KEYHOLDER_LISTEN"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("it does not name %s: %s", want, said.String())
		}
	}
}

// TestAnAbortBeforeTheFirstWriteGivesTheOldSiteBack aborts a planned move after the fence.
func TestAnAbortBeforeTheFirstWriteGivesTheOldSiteBack(t *testing.T) {
	w := newWorld(t)
	ines, bea := w.signIn("ines"), w.signIn("bea")
	before := w.effects()
	w.hold("fence", "POST /admin/revoke", "before")
	code := w.request(ines, ines.get("/plans/move-checkout/move"), map[string]string{"cause": "unknown", "reason": "Maintenance in Leeds"})
	w.approve(bea, code)
	w.until("the fence is held", 30*time.Second, func() bool { return w.reached("fence") })
	ines.submit(ines.get("/runs/"+code), "Pause before the next step", nil)
	w.release("fence")
	w.waitState(code, 30*time.Second, failover.Paused)
	ines.submit(ines.get("/runs/"+code), "Abort and undo what was done", map[string]string{"note": "The maintenance is off"})
	run := w.waitState(code, 60*time.Second, failover.Undone, failover.NotFullyUndone)
	if run.State != failover.Undone {
		t.Errorf("it is %s: %s", run.State, run.Why)
	}
	w.until("Leeds sells again", 20*time.Second, func() bool {
		readings, err := w.store.Readings(t.Context())
		leeds := readings[failover.PositionKey("orders", "leeds")]
		success := readings[failover.SignalKey("checkout-success")]
		return err == nil && leeds.Position != nil && leeds.Position.Writer && !success.Bad && !success.Stale()
	})
	after := w.effects()
	if after.WeightChanges != before.WeightChanges || after.DNSChanges != before.DNSChanges {
		t.Errorf("traffic or DNS was touched: %+v, then %+v", before, after)
	}
	w.neverTwoWriters()
	w.everyOrderIsKept("leeds")
	w.timelineHasNoHoles(code)
	w.keepHistory("aborted", code)
}

// TestAWriterThatIsCutOffIsFencedAndWhatItAcceptedAloneIsSetAside partitions the writer instead of crashing it.
func TestAWriterThatIsCutOffIsFencedAndWhatItAcceptedAloneIsSetAside(t *testing.T) {
	w := newWorld(t)
	ines, bea := w.signIn("ines"), w.signIn("bea")
	w.breakIt("partition", "leeds")
	code := w.emergencyNow(ines, bea, nil)
	w.waitState(code, 60*time.Second, failover.Recovered)
	w.neverTwoWriters()
	w.settle(ines, bea, code)
	w.everyOrderIsKept("dublin")
}
