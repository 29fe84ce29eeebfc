package zone

import (
	"github.com/miekg/dns"
)

// apply is RFC 2136 §3.1 to §3.4 on a zone: what it becomes, or the code by which the update is refused as a whole.
// It differs from the RFC in one point: the SOA is ours, an update that touches it is refused.
func (r records) apply(m *dns.Msg) (records, int) {
	if code := zoneSection(m); code != dns.RcodeSuccess {
		return r, code
	}
	if code := r.prerequisites(m.Answer); code != dns.RcodeSuccess {
		return r, code
	}
	if code := prescan(m.Ns); code != dns.RcodeSuccess {
		return r, code
	}
	changed := r
	for _, rr := range m.Ns {
		changed = changed.change(rr)
	}
	return changed, dns.RcodeSuccess
}

func zoneSection(m *dns.Msg) int {
	if len(m.Question) != 1 || m.Question[0].Qtype != dns.TypeSOA {
		return dns.RcodeFormatError
	}
	q := m.Question[0]
	if q.Qclass != dns.ClassINET || dns.CanonicalName(q.Name) != Origin {
		return dns.RcodeNotAuth
	}
	return dns.RcodeSuccess
}

// prerequisites is RFC 2136 §3.2.
func (r records) prerequisites(list []dns.RR) int {
	var wanted records
	for _, rr := range list {
		h := rr.Header()
		if h.Ttl != 0 {
			return dns.RcodeFormatError
		}
		if !dns.IsSubDomain(Origin, h.Name) {
			return dns.RcodeNotZone
		}
		switch {
		case h.Class == dns.ClassINET && data(h.Rrtype):
			wanted = append(wanted, rr)
		case h.Class == dns.ClassANY || h.Class == dns.ClassNONE:
			if code := r.existence(h); code != dns.RcodeSuccess {
				return code
			}
		default:
			return dns.RcodeFormatError
		}
	}
	return r.values(wanted)
}

// existence checks the prerequisites that name no value.
func (r records) existence(h *dns.RR_Header) int {
	if h.Rdlength != 0 {
		return dns.RcodeFormatError
	}
	exists := len(r.of(h.Name, h.Rrtype)) > 0 || isSOA(h)
	if exists == (h.Class == dns.ClassANY) {
		return dns.RcodeSuccess
	}
	switch {
	case h.Class == dns.ClassANY && h.Rrtype == dns.TypeANY:
		return dns.RcodeNameError
	case h.Class == dns.ClassANY:
		return dns.RcodeNXRrset
	case h.Rrtype == dns.TypeANY:
		return dns.RcodeYXDomain
	default:
		return dns.RcodeYXRrset
	}
}

// isSOA also covers every question about the apex as a name: the SOA is not among the records, but it is always there.
func isSOA(h *dns.RR_Header) bool {
	return dns.CanonicalName(h.Name) == Origin && (h.Rrtype == dns.TypeSOA || h.Rrtype == dns.TypeANY)
}

// values checks that each wanted set is exactly what the zone holds.
func (r records) values(wanted records) int {
	for _, rr := range wanted {
		h := rr.Header()
		have, want := r.of(h.Name, h.Rrtype), wanted.of(h.Name, h.Rrtype)
		for _, each := range want {
			if !have.has(each) {
				return dns.RcodeNXRrset
			}
		}
		for _, each := range have {
			if !want.has(each) {
				return dns.RcodeNXRrset
			}
		}
	}
	return dns.RcodeSuccess
}

// prescan is RFC 2136 §3.4.1: nothing is changed unless all of it can be.
func prescan(list []dns.RR) int {
	for _, rr := range list {
		h := rr.Header()
		if !dns.IsSubDomain(Origin, h.Name) {
			return dns.RcodeNotZone
		}
		if h.Rrtype == dns.TypeSOA {
			return dns.RcodeRefused
		}
		known := data(h.Rrtype)
		switch h.Class {
		case dns.ClassINET:
			if !known || h.Rdlength == 0 {
				return dns.RcodeFormatError
			}
		case dns.ClassANY:
			if h.Ttl != 0 || h.Rdlength != 0 || !known && h.Rrtype != dns.TypeANY {
				return dns.RcodeFormatError
			}
		case dns.ClassNONE:
			if h.Ttl != 0 || !known {
				return dns.RcodeFormatError
			}
		default:
			return dns.RcodeFormatError
		}
	}
	return dns.RcodeSuccess
}

// data tells types that are kept from those that only exist in questions.
func data(kind uint16) bool {
	switch kind {
	case dns.TypeANY, dns.TypeAXFR, dns.TypeIXFR, dns.TypeMAILA, dns.TypeMAILB, dns.TypeOPT, dns.TypeTSIG, dns.TypeTKEY:
		return false
	default:
		return kind != dns.TypeNone
	}
}

// change is RFC 2136 §3.4.2.
func (r records) change(rr dns.RR) records {
	h := rr.Header()
	switch h.Class {
	case dns.ClassINET:
		return r.add(rr)
	case dns.ClassANY:
		return r.without(func(have dns.RR) bool { return is(have, h.Name, h.Rrtype) && !apexNS(have) })
	default:
		gone := dns.Copy(rr)
		gone.Header().Class = dns.ClassINET
		lastNS := len(r.of(Origin, dns.TypeNS)) == 1
		return r.without(func(have dns.RR) bool {
			return dns.IsDuplicate(have, gone) && (!apexNS(have) || !lastNS)
		})
	}
}

// add replaces a record with the same data, for its lifetime may differ, and obeys the rule that a CNAME stands alone.
func (r records) add(rr dns.RR) records {
	h := rr.Header()
	alias := len(r.of(h.Name, dns.TypeCNAME)) > 0
	if h.Rrtype != dns.TypeCNAME && alias {
		return r
	}
	if h.Rrtype == dns.TypeCNAME {
		if !alias && len(r.of(h.Name, dns.TypeANY)) > 0 || dns.CanonicalName(h.Name) == Origin {
			return r
		}
		r = r.without(func(have dns.RR) bool { return is(have, h.Name, dns.TypeCNAME) })
	}
	rest := r.without(func(have dns.RR) bool { return dns.IsDuplicate(have, rr) })
	return append(rest, dns.Copy(rr))
}

func apexNS(rr dns.RR) bool { return is(rr, Origin, dns.TypeNS) }
