package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary be a part: "be <name> <folder>".
func TestMain(m *testing.M) {
	if len(os.Args) < 4 || os.Args[1] != "be" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	parts := map[string]func(context.Context, string) error{
		"locker": beLocker, "good": beGood, "sick": beSick, "stubborn": beStubborn, "parent": beParent,
	}
	if err := parts[os.Args[2]](ctx, os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func beGood(ctx context.Context, _ string) error {
	ctx, ready := Adopted(ctx)
	fmt.Println("good is up")
	fmt.Fprintln(os.Stderr, "good says so")
	ready()
	<-ctx.Done()
	fmt.Print("good is down") // no newline
	return nil
}

func beSick(context.Context, string) error { return fmt.Errorf("no room") }

func beStubborn(ctx context.Context, _ string) error {
	signal.Ignore(syscall.SIGTERM)
	_, ready := Adopted(ctx)
	ready()
	select {}
}

// beParent runs a good part, says its pid and waits to be killed.
func beParent(ctx context.Context, dir string) error {
	f, err := Open(dir)
	if err != nil {
		return err
	}
	p := children(f, os.Stderr)
	return Group{Parts: []Part{p.Part("good")}, Ready: func() { fmt.Println("up") }}.Run(ctx)
}

// safeBuffer is read by the test while children write.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func children(f Folder, out interface{ Write([]byte) (int, error) }) *Processes {
	return &Processes{
		Folder: f, Executable: os.Args[0], Out: out, Log: slog.New(slog.NewTextHandler(out, nil)),
		Args: func(part string) []string { return []string{"be", part, f.Path()} },
	}
}

func pids(t *testing.T, f Folder) map[string]int {
	t.Helper()
	raw, err := os.ReadFile(f.Path("pids.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]int
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// startGroup runs parts until the test stops them.
func startGroup(t *testing.T, parts ...Part) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- Group{Parts: parts, Ready: func() { close(ready) }}.Run(ctx) }()
	t.Cleanup(cancel)
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("not ready: %v", err)
	}
	return func() error { cancel(); return <-ended }
}

func TestChildRunsUnderItsNameAndStopsWhenTold(t *testing.T) {
	f, out := open(t), &safeBuffer{}
	stop := startGroup(t, children(f, out).Part("good"))
	pid := pids(t, f)["good"]
	if pid == 0 || syscall.Kill(pid, 0) != nil {
		t.Fatalf("pids.json holds %v", pids(t, f))
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"good | good is up\n", "good | good says so\n", "good | good is down\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
	if got := pids(t, f); len(got) != 0 {
		t.Errorf("pids.json still holds %v", got)
	}
}

func TestChildThatCannotStartIsAFailure(t *testing.T) {
	f, out := open(t), &safeBuffer{}
	p := children(f, out)
	err := runGroup(t, t.Context(), Group{Parts: []Part{p.Part("good"), p.Part("sick", "good")}})
	if err == nil || !strings.HasPrefix(err.Error(), "sick: ended before it was ready") {
		t.Errorf("error = %v", err)
	}
	if !strings.Contains(out.String(), "sick | no room\n") {
		t.Errorf("its reason is not shown:\n%s", out)
	}
}

func TestKilledChildIsReportedAndLeavesTheOthersAlone(t *testing.T) {
	f, out := open(t), &safeBuffer{}
	p := children(f, out)
	stop := startGroup(t, p.Part("good"))
	kill(t, pids(t, f)["good"])
	eventually(t, "the death is reported", func() bool { return strings.Contains(out.String(), "a part died") })
	eventually(t, "it is off the list", func() bool { return len(pids(t, f)) == 0 })
	if strings.Count(out.String(), "good is up") != 1 {
		t.Error("it was started anew")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestKilledChildIsStartedAnewWhereAsked(t *testing.T) {
	f, out := open(t), &safeBuffer{}
	p := children(f, out)
	p.Restart = true
	stop := startGroup(t, p.Part("good"))
	first := pids(t, f)["good"]
	kill(t, first)
	eventually(t, "another process has its place", func() bool {
		now := pids(t, f)["good"]
		return now != 0 && now != first
	})
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestStubbornChildIsKilledAndNamed(t *testing.T) {
	f, out := open(t), &safeBuffer{}
	stop := startGroup(t, children(f, out).Part("stubborn"))
	pid := pids(t, f)["stubborn"]
	began := time.Now()
	err := stop()
	if err == nil || !strings.HasPrefix(err.Error(), "stubborn: had to be killed") {
		t.Errorf("error = %v", err)
	}
	if took := time.Since(began); took < killAfter || took > 2*killAfter {
		t.Errorf("took %s", took)
	}
	if syscall.Kill(pid, 0) == nil {
		t.Error("it still runs")
	}
}

func TestChildrenEndWithAKilledParent(t *testing.T) {
	f := open(t)
	parent := exec.CommandContext(t.Context(), os.Args[0], "be", "parent", f.Path())
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	child := pids(t, f)["good"]
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := parent.Wait(); err == nil {
		t.Fatal("the parent was not killed")
	}
	eventually(t, "process "+strconv.Itoa(child)+" is gone", func() bool { return gone(child) })
}

// gone counts a process as gone that only waits for init to take note of it.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || bytes.Contains(stat, []byte(") Z "))
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
