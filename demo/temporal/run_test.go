package temporal

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"keyholder/demo/stack"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const (
	childVariable = "TEMPORAL_TEST_CHILD"
	namespace     = "keyholder-test"
	queue         = "greetings"
	readySaid     = "ready"
)

// TestMain lets the test binary be the server, so that a test can kill one.
func TestMain(m *testing.M) {
	spec := os.Getenv(childVariable)
	if spec == "" {
		os.Exit(m.Run())
	}
	if err := beServer(spec); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func beServer(spec string) error {
	c := Config{
		Ready: func() { fmt.Println(readySaid) },
		Log:   slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	var given struct {
		Dir   string
		Ports Ports
	}
	if err := json.Unmarshal([]byte(spec), &given); err != nil {
		return err
	}
	c.Dir, c.Ports, c.Namespace = given.Dir, given.Ports, namespace
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return Run(ctx, c)
}

type server struct {
	cmd    *exec.Cmd
	ports  Ports
	stderr *strings.Builder
	took   time.Duration // from exec to ready
}

func startServer(t *testing.T, dir string, ports Ports) *server {
	t.Helper()
	spec, err := json.Marshal(map[string]any{"Dir": dir, "Ports": ports})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{cmd: exec.CommandContext(t.Context(), os.Args[0]), ports: ports, stderr: &strings.Builder{}}
	s.cmd.Env = append(os.Environ(), childVariable+"="+string(spec))
	s.cmd.Stderr = s.stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.end(os.Kill); err != nil && s.cmd.ProcessState == nil {
			t.Errorf("end the server: %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != readySaid {
		t.Fatalf("server did not become ready: %v; it ended with %v\n%s", err, s.end(os.Kill), s.stderr)
	}
	s.took = time.Since(began)
	t.Logf("ready after %s", s.took)
	return s
}

// end sends a signal and waits until the process is gone; its error says how it went.
func (s *server) end(sig os.Signal) error {
	if s.cmd.ProcessState != nil {
		return nil
	}
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return s.cmd.Wait()
}

func freePorts(t testing.TB) Ports {
	t.Helper()
	var ports [3]int
	used := map[int]bool{}
	for i := range ports {
		port, err := stack.FreePort(t.Context(), used)
		if err != nil {
			t.Fatal(err)
		}
		ports[i], used[port] = port, true
	}
	return Ports{Frontend: ports[0], History: ports[1], Matching: ports[2]}
}

func closeListener(t testing.TB, l net.Listener) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func dial(t testing.TB, ports Ports) client.Client {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{
		HostPort: address(ports.Frontend), Namespace: namespace,
		Logger: sdklog.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil))),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// greet notes its start, waits for a word and answers with it.
func greet(ctx workflow.Context) (string, error) {
	var word string
	workflow.GetSignalChannel(ctx, "word").Receive(ctx, &word)
	if err := workflow.Sleep(ctx, 100*time.Millisecond); err != nil {
		return "", err
	}
	return "hello " + word, nil
}

func startWorker(t *testing.T, c client.Client) {
	t.Helper()
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflow(greet)
	w.RegisterWorkflow(vote)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
}

func TestWorkflowGoesOnAfterTheServerWasKilled(t *testing.T) {
	for name, again := range map[string]func(*testing.T, Ports) Ports{
		"on the same ports": func(_ *testing.T, p Ports) Ports { return p },
		"on other ports":    func(t *testing.T, _ Ports) Ports { return freePorts(t) },
	} {
		t.Run(name, func(t *testing.T) {
			dir, ports := t.TempDir(), freePorts(t)
			first := startServer(t, dir, ports)
			c := dial(t, ports)
			startWorker(t, c)
			options := client.StartWorkflowOptions{ID: "greeting", TaskQueue: queue}
			run, err := c.ExecuteWorkflow(t.Context(), options, greet)
			if err != nil {
				t.Fatal(err)
			}
			if err := first.end(os.Kill); err == nil {
				t.Fatal("the server was not killed")
			}

			second := startServer(t, dir, again(t, ports))
			c = dial(t, second.ports)
			startWorker(t, c)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if err := c.SignalWorkflow(ctx, "greeting", run.GetRunID(), "word", "again"); err != nil {
				t.Fatal(err)
			}
			var got string
			if err := c.GetWorkflow(ctx, "greeting", run.GetRunID()).Get(ctx, &got); err != nil {
				t.Fatal(err)
			}
			if got != "hello again" {
				t.Errorf("answer = %q", got)
			}
		})
	}
}

func TestServerStopsCleanlyWithinThreeSeconds(t *testing.T) {
	s := startServer(t, t.TempDir(), freePorts(t))
	c := dial(t, s.ports)
	startWorker(t, c) // open polls must not hold it up
	began := time.Now()
	if err := s.end(syscall.SIGTERM); err != nil {
		t.Errorf("stop: %v\n%s", err, s.stderr)
	}
	took := time.Since(began)
	t.Logf("stopped after %s; it said:\n%s", took, s.stderr)
	if took > 3*time.Second {
		t.Errorf("stop took %s", took)
	}
}

func TestCutOffWhileTheFileIsMadeStartsAgain(t *testing.T) {
	dir := t.TempDir()
	for after := time.Duration(0); after < 60*time.Millisecond; after += 4 * time.Millisecond {
		sub := filepath.Join(dir, after.String())
		ctx, cancel := context.WithTimeout(t.Context(), after)
		cutOff := prepare(ctx, Config{Dir: sub, Namespace: namespace})
		cancel()
		t.Logf("%s: %v", after, cutOff)
		if err := prepare(t.Context(), Config{Dir: sub, Namespace: namespace}); err != nil {
			t.Fatalf("cut off after %s: %v", after, err)
		}
	}
}

func TestTakenPortIsNamed(t *testing.T) {
	ports := freePorts(t)
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", address(ports.History))
	if err != nil {
		t.Fatal(err)
	}
	defer closeListener(t, l)
	err = Run(t.Context(), Config{
		Dir: t.TempDir(), Namespace: namespace, Ports: ports, Log: slog.New(slog.DiscardHandler),
	})
	if err == nil || !strings.Contains(err.Error(), "history") || !strings.Contains(err.Error(), address(ports.History)) {
		t.Errorf("error = %v, want the part and its address", err)
	}
}
