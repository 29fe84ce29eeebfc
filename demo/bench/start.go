package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"keyholder/demo/stack"
)

// startToReady measures from the start of a built binary to ready, on a fresh folder and on one that was used.
func startToReady(ctx context.Context, o options) ([]figure, error) {
	const rounds = 3
	var fresh, again []float64
	for range rounds {
		dir, err := os.MkdirTemp("", "keyholder-start-")
		if err != nil {
			return nil, err
		}
		first, err := oneStart(ctx, o.demo, dir)
		if err == nil {
			fresh = append(fresh, first.Seconds())
			var second time.Duration
			second, err = oneStart(ctx, o.demo, dir)
			again = append(again, second.Seconds())
		}
		if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
			return nil, err
		}
	}
	return []figure{{"start_fresh", median(fresh), "s", 3}, {"start_again", median(again), "s", 3}}, nil
}

func oneStart(ctx context.Context, demo, dir string) (took time.Duration, err error) {
	port, err := stack.FreePort(ctx, nil)
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, demo)
	cmd.Env = append(os.Environ(), "KEYHOLDER_DEMO_DIR="+dir, fmt.Sprintf("KEYHOLDER_LISTEN=127.0.0.1:%d", port))
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "Keyholder is up") {
			took = time.Since(began)
			break
		}
	}
	if took == 0 {
		err = errors.New("the demo ended before it was ready")
	}
	stop := cmd.Process.Signal(syscall.SIGTERM)
	_, drain := io.Copy(io.Discard, out)
	return took, errors.Join(err, stop, drain, cmd.Wait())
}
