package zone

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/miekg/dns"

	"keyholder/demo/shop/control"
)

const (
	fudge   = 300 // seconds that two clocks may differ, by RFC 8945
	udpSize = 1232
)

// serve answers on both transports until ctx ends.
func (z *Zone) serve(ctx context.Context) error {
	packets, listener, err := z.listen(ctx)
	if err != nil {
		return err
	}
	watch := &watchedListener{Listener: listener}
	z.mu.Lock()
	z.watch = watch
	z.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) { z.answer(ctx, w, m) })
	started := make(chan struct{}, 2)
	server := dns.Server{
		Handler: handler, MsgAcceptFunc: accept, TsigSecret: map[string]string{KeyName: z.secret},
		UDPSize: udpSize, NotifyStartedFunc: func() { started <- struct{}{} },
	}
	servers := []*dns.Server{clone(&server), clone(&server)}
	servers[0].PacketConn, servers[1].Listener = packets, watch
	ended := make(chan error, len(servers))
	for _, each := range servers {
		go func() { ended <- each.ActivateAndServe() }()
	}
	return z.until(ctx, cancel, servers, started, ended)
}

// clone is a server with the same settings; dns.Server holds locks and cannot be copied once it is used.
func clone(s *dns.Server) *dns.Server {
	return &dns.Server{
		Handler: s.Handler, MsgAcceptFunc: s.MsgAcceptFunc, TsigSecret: s.TsigSecret,
		UDPSize: s.UDPSize, NotifyStartedFunc: s.NotifyStartedFunc,
	}
}

// until reports ready once both servers run, and stops both when ctx ends or one of them fails.
func (z *Zone) until(ctx context.Context, cancel func(), servers []*dns.Server, started <-chan struct{}, ended <-chan error) error {
	var failures []error
	running, up := len(servers), 0
	for up < len(servers) && running == len(servers) {
		select {
		case <-started:
			up++
		case err := <-ended:
			running--
			failures = append(failures, err)
		}
	}
	if running == len(servers) {
		if z.cfg.Ready != nil {
			z.cfg.Ready()
		}
		select {
		case <-ctx.Done():
		case err := <-ended:
			running--
			failures = append(failures, fmt.Errorf("the name server stopped: %w", err))
		}
	}
	cancel() // releases what is held, for a shutdown waits for its answers
	for _, each := range servers {
		_ = each.Shutdown() // fails only if it is down already
	}
	for ; running > 0; running-- {
		failures = append(failures, <-ended)
	}
	return errors.Join(failures...)
}

// accept lets updates in, whose sections may hold many records; the rest is the library's rule.
func accept(h dns.Header) dns.MsgAcceptAction {
	const response = 1 << 15
	if h.Bits&response == 0 && int(h.Bits>>11)&0xF == dns.OpcodeUpdate {
		return dns.MsgAccept
	}
	return dns.DefaultMsgAcceptFunc(h)
}

func (z *Zone) answer(ctx context.Context, w dns.ResponseWriter, m *dns.Msg) {
	reply := new(dns.Msg).SetReply(m)
	proceed := true
	switch m.Opcode {
	case dns.OpcodeQuery:
		z.query(reply, m)
		shorten(reply, w, m)
	case dns.OpcodeUpdate:
		proceed = z.signedUpdate(ctx, w, m, reply)
	default:
		reply.Rcode = dns.RcodeNotImplemented
	}
	if !proceed {
		_ = w.Close() // the caller left, or the shop ends
		return
	}
	if err := w.WriteMsg(reply); err != nil {
		z.cfg.Log.Debug("a DNS answer was not sent", "error", err)
	}
}

// shorten fits an answer over UDP to what the caller can take.
func shorten(reply *dns.Msg, w dns.ResponseWriter, m *dns.Msg) {
	size := dns.MinMsgSize
	if opt := m.IsEdns0(); opt != nil {
		reply.SetEdns0(udpSize, false)
		size = min(max(int(opt.UDPSize()), size), udpSize)
	}
	if _, tcp := w.RemoteAddr().(*net.TCPAddr); tcp {
		size = dns.MaxMsgSize
	}
	reply.Truncate(size)
}

func (z *Zone) query(reply, m *dns.Msg) {
	now := z.now()
	q := m.Question[0]
	switch {
	case !dns.IsSubDomain(Origin, q.Name) || q.Qclass != dns.ClassINET:
		reply.Rcode = dns.RcodeRefused
		return
	case q.Qtype == dns.TypeAXFR || q.Qtype == dns.TypeIXFR:
		reply.Rcode = dns.RcodeRefused
		return
	}
	reply.Authoritative = true
	apex := dns.CanonicalName(q.Name) == Origin
	if apex && (q.Qtype == dns.TypeSOA || q.Qtype == dns.TypeANY) {
		reply.Answer = append(reply.Answer, soa(now.serial))
	}
	reply.Answer = append(reply.Answer, copies(now.records.of(q.Name, q.Qtype))...)
	if alias := now.records.of(q.Name, dns.TypeCNAME); len(reply.Answer) == 0 {
		reply.Answer = append(reply.Answer, copies(alias)...)
	}
	if len(reply.Answer) > 0 {
		z.addresses(reply, now.records)
		return
	}
	reply.Ns = append(reply.Ns, soa(now.serial))
	if !apex && !now.records.holds(q.Name) {
		reply.Rcode = dns.RcodeNameError
	}
}

// addresses spares a till the second question, as RFC 2782 has it.
func (z *Zone) addresses(reply *dns.Msg, all records) {
	for _, rr := range reply.Answer {
		if srv, ok := rr.(*dns.SRV); ok {
			reply.Extra = append(reply.Extra, copies(all.of(srv.Target, dns.TypeA))...)
		}
	}
}

// copies because packing a message may write into its records.
func copies(set records) []dns.RR {
	list := make([]dns.RR, 0, len(set))
	for _, rr := range set {
		list = append(list, dns.Copy(rr))
	}
	return list
}

// signedUpdate changes the zone if the message is signed with our key. It returns false if nothing shall be answered.
func (z *Zone) signedUpdate(ctx context.Context, w dns.ResponseWriter, m, reply *dns.Msg) bool {
	signature := m.IsTsig()
	if signature == nil {
		reply.Rcode = dns.RcodeRefused
		return true
	}
	reply.SetTsig(signature.Hdr.Name, signature.Algorithm, fudge, time.Now().Unix())
	if wrong := distrust(signature, w.TsigStatus()); wrong != dns.RcodeSuccess {
		reply.Rcode = dns.RcodeNotAuth
		state(reply.IsTsig(), wrong, signature)
		return true
	}
	present, stop := z.watching().present(ctx, w.RemoteAddr())
	defer stop()
	if z.cfg.Holds.Wait(present, Update, control.Before) != nil {
		return false
	}
	reply.Rcode = z.update(present, m)
	return z.cfg.Holds.Wait(present, Update, control.After) == nil
}

// state says in the answer's signature what is wrong with the caller's; a caller whose clock is off is told the time.
func state(answer *dns.TSIG, wrong uint16, asked *dns.TSIG) {
	answer.Error = wrong
	if wrong == dns.RcodeBadTime {
		answer.OtherLen, answer.OtherData = 6, fmt.Sprintf("%012x", time.Now().Unix())
		answer.TimeSigned = asked.TimeSigned
	}
}

// distrust is the code that RFC 8945 has for what is wrong with a signature.
func distrust(signature *dns.TSIG, verified error) uint16 {
	switch {
	case dns.CanonicalName(signature.Hdr.Name) != KeyName || dns.CanonicalName(signature.Algorithm) != dns.HmacSHA256:
		return dns.RcodeBadKey
	case errors.Is(verified, dns.ErrTime):
		return dns.RcodeBadTime
	case verified != nil:
		return dns.RcodeBadSig
	}
	return dns.RcodeSuccess
}
