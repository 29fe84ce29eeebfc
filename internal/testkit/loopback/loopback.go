package loopback

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// lowest and highest lie below the ports that the kernel hands out for outgoing connections, so that a port that is free
// is not taken by chance before the server listens on it.
const lowest, highest = 12000, 20000

// FreePort is a port on loopback that nobody listens on, by TCP or UDP.
func FreePort(ctx context.Context) (int, error) {
	var last error
	for range 200 {
		port := lowest + rand.IntN(highest-lowest)
		if last = try(ctx, net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); last == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("find a free port: %w", last)
}

func try(ctx context.Context, address string) error {
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
