package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

const (
	killAfter    = 5 * time.Second
	restartAfter = 200 * time.Millisecond
	// readyDescriptor is where a child says that it is ready; its standard input ends when its parent does.
	readyDescriptor = 3
)

// Processes runs parts as children of this process.
type Processes struct {
	Folder     Folder
	Executable string                     // usually os.Executable()
	Args       func(part string) []string // how the executable is told to be that part, adopted by this process
	Restart    bool                       // start a child anew that dies; else its death is reported and it stays dead
	Out        io.Writer                  // the children's output, each line under its part's name
	Log        *slog.Logger

	mu   sync.Mutex
	pids map[string]int
}

// Part is a child process for a Group. A child that dies before it is ready is a failure of the group; one that dies
// later leaves the others running.
func (p *Processes) Part(name string, after ...string) Part {
	return Part{Name: name, After: after, Run: func(ctx context.Context, ready func()) error {
		return p.run(ctx, name, ready)
	}}
}

func (p *Processes) run(ctx context.Context, name string, ready func()) error {
	for {
		wasReady, err := p.runOnce(ctx, name, ready)
		if ctx.Err() != nil {
			return err
		}
		if !wasReady {
			return fmt.Errorf("ended before it was ready: %w", err)
		}
		p.Log.Error("a part died", "part", name, "how", err, "restarting", p.Restart)
		if !p.Restart {
			<-ctx.Done()
			return nil
		}
		select {
		case <-time.After(restartAfter):
		case <-ctx.Done():
			return nil
		}
	}
}

// runOnce returns when the child is gone, and whether it had been ready.
func (p *Processes) runOnce(ctx context.Context, name string, ready func()) (wasReady bool, err error) {
	said, say, err := os.Pipe()
	if err != nil {
		return false, fmt.Errorf("make pipe: %w", err)
	}
	defer func() { err = errors.Join(err, said.Close()) }()
	out := &prefixed{to: p.Out, prefix: name + " | ", mu: &p.mu}
	cmd := exec.CommandContext(ctx, p.Executable, p.Args(name)...) //nolint:gosec // ourselves
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = out, out, []*os.File{say}
	// Its own process group: Ctrl-C in a terminal reaches only us, and we stop the parts in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = killAfter
	life, err := cmd.StdinPipe() // held open and never written to
	if err != nil {
		return false, errors.Join(fmt.Errorf("make pipe: %w", err), say.Close())
	}
	if err := errors.Join(cmd.Start(), say.Close()); err != nil {
		return false, fmt.Errorf("start: %w", errors.Join(err, life.Close()))
	}
	recorded := p.record(name, cmd.Process.Pid)
	heard := make(chan bool, 1)
	go func() {
		_, err := said.Read(make([]byte, 1))
		if err == nil {
			ready()
		}
		heard <- err == nil
	}()
	err = cmd.Wait()
	out.flush()
	wasReady = <-heard // the child's end is closed by now
	if err = errors.Join(err, recorded, p.record(name, 0)); ctx.Err() != nil {
		return wasReady, stopError(err, cmd)
	}
	return wasReady, err
}

// stopError keeps quiet about a child that ended because it was told to, and not about one that had to be killed.
func stopError(err error, cmd *exec.Cmd) error {
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
		return fmt.Errorf("had to be killed: it did not stop within %s", killAfter)
	}
	if cmd.ProcessState.Success() || ok && status.Signaled() && status.Signal() == syscall.SIGTERM {
		return nil
	}
	return err
}

// record keeps pids.json true: the children that run now, by part.
func (p *Processes) record(name string, pid int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := map[string]int{}
	maps.Copy(next, p.pids)
	if next[name] = pid; pid == 0 {
		delete(next, name)
	}
	p.pids = next
	raw, err := json.MarshalIndent(next, "", "  ")
	if err != nil {
		return fmt.Errorf("encode process ids: %w", err)
	}
	return Replace(p.Folder.Path("pids.json"), append(raw, '\n'))
}

// Adopted is called by a child that Processes started: the context ends when its parent does, and ready tells it so.
func Adopted(parent context.Context) (ctx context.Context, ready func()) {
	ctx, cancel := context.WithCancel(parent)
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		_ = err // an end is an end
		cancel()
	}()
	syscall.CloseOnExec(readyDescriptor) // else a child of ours would keep it open after our end
	say := os.NewFile(readyDescriptor, "ready")
	return ctx, sync.OnceFunc(func() {
		if _, err := say.Write([]byte{'r'}); err != nil {
			cancel() // nobody listens: the parent is gone
		}
	})
}
