package zone

import (
	"net"
	"slices"
	"strconv"

	"github.com/miekg/dns"
)

// Origin is the zone; Record is the name the tills look up.
const (
	Origin = "shop.demo."
	Record = "checkout." + Origin
)

// ttl is how long a till may go on to an old site; short, because the demo is watched.
const ttl = 2

// records is the content of the zone without its SOA, which is made from the serial. Values are never changed in place.
type records []dns.RR

// first is what a new shop serves: the tills are sent to the site named writer.
func first(sites map[string]string, writer string) (records, error) {
	ns := &dns.NS{Hdr: header(Origin, dns.TypeNS), Ns: "ns." + Origin}
	list := records{ns, &dns.A{Hdr: header(ns.Ns, dns.TypeA), A: net.IPv4(127, 0, 0, 1)}}
	for slug, address := range sites {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return nil, err
		}
		name := slug + "." + Origin
		list = append(list, &dns.A{Hdr: header(name, dns.TypeA), A: net.ParseIP(host)})
		if slug == writer {
			list = append(list, &dns.SRV{Hdr: header(Record, dns.TypeSRV), Weight: 100, Port: uint16(number), Target: name})
		}
	}
	return list, nil
}

func header(name string, kind uint16) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: ttl}
}

func soa(serial uint32) *dns.SOA {
	return &dns.SOA{
		Hdr: header(Origin, dns.TypeSOA), Ns: "ns." + Origin, Mbox: "hostmaster." + Origin,
		Serial: serial, Refresh: 60, Retry: 10, Expire: 3600, Minttl: ttl,
	}
}

// of is the set of records of one name and type; dns.TypeANY means every type.
func (r records) of(name string, kind uint16) records {
	var set records
	for _, rr := range r {
		if is(rr, name, kind) {
			set = append(set, rr)
		}
	}
	return set
}

// without leaves out what drop says.
func (r records) without(drop func(dns.RR) bool) records {
	return slices.DeleteFunc(slices.Clone(r), drop)
}

// has compares data and not lifetimes.
func (r records) has(rr dns.RR) bool {
	return slices.ContainsFunc(r, func(have dns.RR) bool { return dns.IsDuplicate(have, rr) })
}

// equal compares data and lifetimes, in any order.
func (r records) equal(other records) bool {
	return len(r) == len(other) && slices.Equal(r.text(), other.text())
}

func (r records) text() []string {
	lines := make([]string, 0, len(r))
	for _, rr := range r {
		lines = append(lines, rr.String())
	}
	slices.Sort(lines)
	return lines
}

// holds tells whether the name itself, or a name below it, has records.
func (r records) holds(name string) bool {
	return slices.ContainsFunc(r, func(rr dns.RR) bool { return dns.IsSubDomain(name, rr.Header().Name) })
}

func is(rr dns.RR, name string, kind uint16) bool {
	h := rr.Header()
	return dns.CanonicalName(h.Name) == dns.CanonicalName(name) && (kind == dns.TypeANY || h.Rrtype == kind)
}
