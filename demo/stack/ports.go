package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"syscall"
)

const loopback = "127.0.0.1"

// Ports are chosen below the range from which systems take the near end of outgoing connections (32768 and up): a kept
// port must not be taken by chance between two starts, nor a dial to a dead part connect to itself.
const lowestPort, highestPort = 20000, 32700

// Ports are the kept addresses of the demo's parts, all on loopback.
type Ports struct {
	file string
	by   map[string]int
}

// Ports returns the address of each part, chosen at the first start and the same from then on. Parts that are new are
// added.
func (f Folder) Ports(ctx context.Context, parts ...string) (Ports, error) {
	p := Ports{file: f.Path("ports.json"), by: map[string]int{}}
	raw, err := os.ReadFile(p.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Ports{}, fmt.Errorf("read the demo's ports: %w", err)
	}
	if err == nil {
		if err := json.Unmarshal(raw, &p.by); err != nil {
			return Ports{}, fmt.Errorf("understand %s: %w", p.file, err)
		}
	}
	if err := p.valid(); err != nil {
		return Ports{}, err
	}
	added, err := p.choose(ctx, parts)
	if err != nil || !added {
		return p, err
	}
	raw, err = json.MarshalIndent(p.by, "", "  ")
	if err != nil {
		return Ports{}, fmt.Errorf("encode the demo's ports: %w", err)
	}
	return p, Replace(p.file, append(raw, '\n'))
}

func (p Ports) valid() error {
	owner := map[int]string{}
	for _, part := range p.parts() {
		port := p.by[part]
		if port < 1 || port > 65535 {
			return fmt.Errorf("%s: %d is not a port (%s)", p.file, port, part)
		}
		if other, twice := owner[port]; twice {
			return fmt.Errorf("%s: %s and %s have the same port %d", p.file, other, part, port)
		}
		owner[port] = part
	}
	return nil
}

func (p Ports) choose(ctx context.Context, parts []string) (added bool, err error) {
	used := map[int]bool{}
	for _, port := range p.by {
		used[port] = true
	}
	for _, part := range parts {
		if _, kept := p.by[part]; kept {
			continue
		}
		port, err := FreePort(ctx, used)
		if err != nil {
			return false, fmt.Errorf("choose a port for %s: %w", part, err)
		}
		p.by[part], used[port], added = port, true, true
	}
	return added, nil
}

// FreePort is a port on loopback that nobody listens on, other than those that are used soon.
func FreePort(ctx context.Context, used map[int]bool) (int, error) {
	return FreePortIn(ctx, lowestPort, highestPort, used)
}

// FreePortIn is like FreePort, from lowest up to below highest. Who chooses many ports long before they are listened on does so where
// no demo looks for its own.
func FreePortIn(ctx context.Context, lowest, highest int, used map[int]bool) (int, error) {
	var last error
	for range 200 {
		port := lowest + rand.IntN(highest-lowest) //nolint:gosec // nothing to guess
		if used[port] {
			continue
		}
		if last = listen(ctx, address(port)); last == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port on %s: %w", loopback, last)
}

// Port is that of a part, or 0 if there is none of that name.
func (p Ports) Port(part string) int { return p.by[part] }

// Address is host:port of a part.
func (p Ports) Address(part string) string { return address(p.by[part]) }

func address(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }

// Check makes sure that the parts can listen where they did before, all of them if none is named.
func (p Ports) Check(ctx context.Context, parts ...string) error {
	if len(parts) == 0 {
		parts = p.parts()
	}
	for _, part := range parts {
		if err := CheckAddress(ctx, part, p.Address(part), "kept in "+p.file); err != nil {
			return err
		}
	}
	return nil
}

// CheckAddress makes sure that a part can listen at an address; origin says where the address comes from.
func CheckAddress(ctx context.Context, part, address, origin string) error {
	err := listen(ctx, address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s cannot listen on %s (%s): another program has that port; stop it, or change the port there",
			part, address, origin)
	}
	if err != nil {
		return fmt.Errorf("%s cannot listen on %s (%s): %w", part, address, origin, err)
	}
	return nil
}

func (p Ports) parts() []string {
	names := make([]string, 0, len(p.by))
	for name := range p.by {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// listen tries the address with TCP and UDP, because a part may need both (DNS does), and lets go of it again.
func listen(ctx context.Context, address string) error {
	var lc net.ListenConfig
	tcp, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	udp, err := lc.ListenPacket(ctx, "udp", address)
	if err != nil {
		return errors.Join(err, tcp.Close())
	}
	return errors.Join(tcp.Close(), udp.Close())
}
