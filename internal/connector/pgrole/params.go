package pgrole

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"keyholder/internal/connector"
	"keyholder/internal/fault"
	"keyholder/internal/scram"
)

const (
	defaultTimeout = 2 * time.Second
	defaultWait    = 5 * time.Second
	longestName    = 20 // letters and digits of a person's name in an account
	manyRoles      = 1000
)

type params struct {
	Connection string             `json:"connection"`    // refers to the URL of an administrative login
	Timeout    connector.Duration `json:"timeout"`       // of each question to the server
	Wait       connector.Duration `json:"wait"`          // how long ended sessions may take to go
	Logs       string             `json:"log_statement"` // what the server is to write down of what its logins do; empty: as it does
}

func read(p connector.Params) (params, error) {
	var got params
	if err := connector.Decode(p, &got); err != nil {
		return params{}, err
	}
	wrong := got.check()
	if got.Logs != "" && !slices.Contains([]string{"ddl", "mod", "all"}, got.Logs) {
		wrong.Add("log_statement", "must be ddl, mod or all")
	}
	return got, wrong.Err()
}

func (p params) check() fault.Wrong {
	wrong := fault.Wrong{}
	if p.Connection == "" {
		wrong.Add("connection", "is missing")
	} else if err := connector.CheckSecret(p.Connection); err != nil {
		wrong.Add("connection", "%v", err)
	}
	p.Timeout.Check(wrong, "timeout")
	p.Wait.Check(wrong, "wait")
	return wrong
}

// account is the form of the names that accountOf gives, and of no others.
var account = regexp.MustCompile(`\Akh_([a-z0-9]{1,20}_)?[0-9a-f]{8}\z`)

// accountOf keeps to letters that need no quotes anywhere, and lets an accent go rather than its letter.
func accountOf(system string, h connector.Holder) string {
	sum := sha256.Sum256([]byte(system + "\x00" + h.ID))
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(norm.NFKD.String(h.Name)))
	if name = name[:min(len(name), longestName)]; name != "" {
		name += "_"
	}
	return "kh_" + name + hex.EncodeToString(sum[:4])
}

// checkWanted refuses what must never reach a server.
func checkWanted(w connector.Wanted) error {
	wrong := fault.Wrong{}
	if !account.MatchString(w.Account) {
		wrong.Add("account", "is not the name of an account that Keyholder makes")
	}
	checkRoles(wrong, "managed", w.Managed)
	for _, role := range w.Roles {
		if !slices.Contains(w.Managed, role) {
			wrong.Add("roles", "holds a role that is not managed, and would never be taken back")
		}
	}
	if w.Verifier != "" && !scram.IsVerifier(w.Verifier) {
		wrong.Add("verifier", "is not a SCRAM-SHA-256 verifier; a password itself is never sent")
	}
	return connector.CannotGive(wrong)
}

// checkRoles takes any name that a role can have. Longer ones the server would cut short, and so mean another role.
func checkRoles(wrong fault.Wrong, field string, roles []string) {
	if len(roles) > manyRoles {
		wrong.Add(field, "holds more than %d roles", manyRoles)
	}
	for _, role := range roles {
		if problem := nameProblem(role); problem != "" {
			wrong.Add(field, "holds a name that %s", problem)
		}
	}
}

func nameProblem(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > 63:
		return "is longer than the 63 bytes of a name in PostgreSQL"
	case strings.ToValidUTF8(name, "") != name || strings.ContainsRune(name, 0):
		return "is not valid text"
	}
	return ""
}
