package dnsc

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
)

const (
	defaultWait    = 5 * time.Second
	defaultTimeout = 2 * time.Second
	longestTTL     = 7 * 24 * 60 * 60 // seconds
	mostRecords    = 100
)

// movable are the types of record that traffic follows. The records that make a zone what it is are not among them.
var movable = []string{"A", "AAAA", "CNAME", "MX", "SRV", "TXT"}

var algorithms = map[string]string{
	"hmac-sha256": dns.HmacSHA256, "hmac-sha384": dns.HmacSHA384, "hmac-sha512": dns.HmacSHA512,
}

type params struct {
	Server  string             `json:"server"`
	Zone    string             `json:"zone"`
	Name    string             `json:"name"`
	Type    string             `json:"type"`
	TTL     *int64             `json:"ttl"`
	From    []string           `json:"from"`
	To      []string           `json:"to"`
	TSIG    *tsig              `json:"tsig"`
	Wait    connector.Duration `json:"wait"`
	Timeout connector.Duration `json:"timeout"`

	from, to []dns.RR
	ttl      uint32
}

type tsig struct {
	Name      string `json:"name"`
	Algorithm string `json:"algorithm"`
	Secret    string `json:"secret"`
}

// acts says that the params describe a move, not only a look.
func (p params) acts() bool { return p.From != nil || p.To != nil || p.TSIG != nil || p.TTL != nil }

func read(p connector.Params) (params, error) {
	var got params
	if err := connector.Decode(p, &got); err != nil {
		return params{}, err
	}
	wrong := fault.Wrong{}
	got.checkPlace(wrong)
	got.Wait.Check(wrong, "wait")
	got.Timeout.Check(wrong, "timeout")
	if got.acts() && wrong.Err() == nil {
		got.checkMove(wrong)
	}
	return got, wrong.Err()
}

func (p params) checkPlace(wrong fault.Wrong) {
	host, port, err := net.SplitHostPort(p.Server)
	if n, numErr := strconv.Atoi(port); err != nil || host == "" || numErr != nil || n < 1 || n > 65535 {
		wrong.Add("server", "must be host:port of the authoritative server")
	}
	if !fullName(p.Zone) {
		wrong.Add("zone", "must be a full domain name that ends with a dot")
	}
	if !fullName(p.Name) {
		wrong.Add("name", "must be a full domain name that ends with a dot")
	} else if !dns.IsSubDomain(p.Zone, p.Name) {
		wrong.Add("name", "is not in the zone")
	}
	if !slices.Contains(movable, p.Type) {
		wrong.Add("type", "must be one of %s", strings.Join(movable, ", "))
	}
}

// fullName leaves out what would need escaping or would mean something else in the line that record parses.
func fullName(s string) bool {
	_, ok := dns.IsDomainName(s)
	return ok && dns.IsFqdn(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`;()"\$@`, r)
	})
}

func (p *params) checkMove(wrong fault.Wrong) {
	switch {
	case p.TTL == nil:
		wrong.Add("ttl", "is missing")
	case *p.TTL < 0 || *p.TTL > longestTTL:
		wrong.Add("ttl", "must be between 0 and %d seconds", longestTTL)
	default:
		p.ttl = uint32(*p.TTL)
	}
	p.from = p.records(wrong, "from", p.From)
	p.to = p.records(wrong, "to", p.To)
	if p.from != nil && p.to != nil && same(p.from, p.to) {
		wrong.Add("to", "is the same as from")
	}
	if p.TSIG == nil {
		wrong.Add("tsig", "is missing: an update must be signed")
		return
	}
	if !fullName(p.TSIG.Name) {
		wrong.Add("tsig.name", "must be a full key name that ends with a dot")
	}
	if _, known := algorithms[p.TSIG.Algorithm]; !known {
		wrong.Add("tsig.algorithm", "must be one of hmac-sha256, hmac-sha384, hmac-sha512")
	}
	if err := connector.CheckSecret(p.TSIG.Secret); err != nil {
		wrong.Add("tsig.secret", "%v", err)
	}
}

// records parses the values of a set; what is wrong with one is noted at its place.
func (p *params) records(wrong fault.Wrong, field string, values []string) []dns.RR {
	if len(values) == 0 || len(values) > mostRecords {
		wrong.Add(field, "must hold 1 to %d records", mostRecords)
		return nil
	}
	set := make([]dns.RR, 0, len(values))
	for i, value := range values {
		rr, err := p.record(value)
		if err != nil {
			wrong.Add(fmt.Sprintf("%s[%d]", field, i), "is not the value of a %s record: %v", p.Type, err)
			return nil
		}
		if slices.ContainsFunc(set, func(other dns.RR) bool { return dns.IsDuplicate(other, rr) }) {
			wrong.Add(fmt.Sprintf("%s[%d]", field, i), "is there twice")
			return nil
		}
		set = append(set, rr)
	}
	return set
}

// record parses one value. dns.NewRR is not used, because it follows $INCLUDE.
func (p *params) record(value string) (dns.RR, error) {
	if value == "" || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, errors.New("it must be one line of printable ASCII")
	}
	line := fmt.Sprintf("%s %d IN %s %s\n", p.Name, p.ttl, p.Type, value)
	parser := dns.NewZoneParser(strings.NewReader(line), ".", "")
	rr, ok := parser.Next()
	if err := parser.Err(); err != nil {
		return nil, errors.New("it cannot be read")
	}
	if !ok || rr.Header().Rrtype != dns.StringToType[p.Type] {
		return nil, errors.New("it holds no record")
	}
	return rr, nil
}

// same compares two sets of records without regard to order, TTL and letter case of names.
func same(a, b []dns.RR) bool {
	if len(a) != len(b) {
		return false
	}
	for _, one := range a {
		if !slices.ContainsFunc(b, func(other dns.RR) bool { return dns.IsDuplicate(one, other) }) {
			return false
		}
	}
	return true
}

// values writes the records as plans do, sorted.
func values(set []dns.RR) []string {
	list := make([]string, 0, len(set))
	for _, rr := range set {
		list = append(list, strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	slices.Sort(list)
	return list
}
