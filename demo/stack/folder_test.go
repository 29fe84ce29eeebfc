package stack

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T) Folder {
	t.Helper()
	f, err := Open(filepath.Join(t.TempDir(), "demo"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func ports(t *testing.T, f Folder, parts ...string) Ports {
	t.Helper()
	p, err := f.Ports(t.Context(), parts...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPortsAreChosenOnceAndKept(t *testing.T) {
	f := open(t)
	first := ports(t, f, "provider", "lease")
	if first.Port("provider") == first.Port("lease") {
		t.Error("two parts on one port")
	}
	second := ports(t, f, "provider", "lease", "dns")
	for _, part := range []string{"provider", "lease"} {
		if first.Address(part) != second.Address(part) {
			t.Errorf("%s moved from %s to %s", part, first.Address(part), second.Address(part))
		}
	}
	if diff := cmp.Diff(second.by, ports(t, f, "dns").by); diff != "" {
		t.Errorf("ports changed (-before +after):\n%s", diff)
	}
	for part, port := range second.by {
		if port < lowestPort || port >= highestPort {
			t.Errorf("%s got %d, in reach of outgoing connections", part, port)
		}
	}
}

func TestTakenPortIsNamedWithPartAddressAndFile(t *testing.T) {
	f := open(t)
	p := ports(t, f, "provider", "dns")
	if err := p.Check(t.Context()); err != nil {
		t.Fatalf("free ports: %v", err)
	}
	var lc net.ListenConfig
	taken := map[string]func() (interface{ Close() error }, error){
		"provider": func() (interface{ Close() error }, error) {
			return lc.Listen(t.Context(), "tcp", p.Address("provider"))
		},
		"dns": func() (interface{ Close() error }, error) {
			return lc.ListenPacket(t.Context(), "udp", p.Address("dns"))
		},
	}
	for part, take := range taken {
		l, err := take()
		if err != nil {
			t.Fatal(err)
		}
		err = p.Check(t.Context())
		if closeErr := l.Close(); closeErr != nil {
			t.Fatal(closeErr)
		}
		if err == nil {
			t.Fatalf("%s: a taken port was not noticed", part)
		}
		for _, want := range []string{part, p.Address(part), f.Path("ports.json")} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not name %s", err, want)
			}
		}
	}
}

func TestDamagedPortsFileIsNamed(t *testing.T) {
	for _, content := range []string{"{", `{"a": 0}`, `{"a": 70000}`, `{"a": 25000, "b": 25000}`} {
		f := open(t)
		if err := os.WriteFile(f.Path("ports.json"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Ports(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), f.Path("ports.json")) {
			t.Errorf("%s: %v", content, err)
		}
	}
}

func TestSecretIsMadeOnceForItsOwnerAlone(t *testing.T) {
	f := open(t)
	got := make([]Secret, 8)
	var wait sync.WaitGroup
	for i := range got {
		wait.Go(func() {
			s, err := f.Secret("tsig-secret")
			if err != nil {
				t.Error(err)
			}
			got[i] = s
		})
	}
	wait.Wait()
	for _, s := range got {
		if s != got[0] {
			t.Errorf("two secrets of one name: %v and %v", s, got[0])
		}
	}
	other, err := f.Secret("oidc-client-secret")
	if err != nil {
		t.Fatal(err)
	}
	if other.Value == got[0].Value {
		t.Error("two names share a secret")
	}
	info, err := os.Stat(other.File)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v", info.Mode())
	}
	if files, err := os.ReadDir(f.Path()); err != nil || len(files) != 2 {
		t.Errorf("folder holds %v, %v", files, err)
	}
}

func TestDamagedSecretIsNamed(t *testing.T) {
	f := open(t)
	if err := os.WriteFile(f.Path("tsig-secret"), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Secret("tsig-secret"); err == nil || !strings.Contains(err.Error(), f.Path("tsig-secret")) {
		t.Errorf("error = %v", err)
	}
}

func TestFolderIsForOneDemo(t *testing.T) {
	f := open(t)
	unlock, err := f.Lock()
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Lock()
	if err == nil {
		t.Fatal("two demos on one folder")
	}
	for _, want := range []string{strconv.Itoa(os.Getpid()), f.Path(), "KEYHOLDER_DEMO_DIR"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %s", err, want)
		}
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	unlock, err = f.Lock()
	if err != nil {
		t.Fatalf("after unlock: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
}

func TestLockOfAKilledDemoIsFree(t *testing.T) {
	f := open(t)
	child := exec.CommandContext(t.Context(), os.Args[0], "be", "locker", f.Path())
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 6)
	if _, err := out.Read(said); err != nil || !bytes.Equal(said, []byte("locked")) {
		t.Fatalf("child said %q, %v", said, err)
	}
	if _, err := f.Lock(); err == nil {
		t.Fatal("the child's lock does not hold")
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the child was not killed")
	}
	if _, err := f.Lock(); err != nil {
		t.Errorf("after the kill: %v", err)
	}
}

// beLocker holds a folder until it is killed.
func beLocker(ctx context.Context, dir string) error {
	f, err := Open(dir)
	if err != nil {
		return err
	}
	if _, err := f.Lock(); err != nil {
		return err
	}
	if _, err := os.Stdout.WriteString("locked"); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
