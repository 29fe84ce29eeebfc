package catalog

import (
	"encoding/json"
	"slices"
	"strings"
)

// System is a real system on which time-bound access is given and taken by a connector.
type System struct {
	Slug      string          `json:"slug"`
	Name      string          `json:"name"`
	About     string          `json:"about,omitempty" form:"long" alone:"yes" doc:"What it holds, and how its holders sign in to it."`
	Services  []string        `json:"services,omitempty" ref:"service" doc:"To what it belongs: policies and roles are told apart by them."`
	Connector string          `json:"connector" enum:"postgres-role,http" doc:"By what access is given and taken."`
	Params    json.RawMessage `json:"params" doc:"What the connector is told. Credentials are references, env:NAME or file:PATH on the worker's machine."`
	Log       string          `json:"log,omitempty" enum:"postgres-log,http" doc:"By what is read what was done with access. Where none is named, there is only what the holder says."`
	LogParams json.RawMessage `json:"log_params,omitempty" doc:"What that is told."`
	Roles     []TargetRole    `json:"roles" doc:"What may be given. Whatever else somebody may do there is left alone."`
	Known     []KnownHolder   `json:"known,omitempty" doc:"Who has such a role there for good. Anybody else who has one, and no grant, is a finding."`
}

// TargetRole is something that somebody may be given on a system.
type TargetRole struct {
	Role string `json:"role" doc:"As the system calls it."`
	Does string `json:"does" doc:"What one may do with it."`
}

// KnownHolder is an account that has a role for good.
type KnownHolder struct {
	Account string `json:"account" doc:"As the system calls it."`
	Role    string `json:"role" doc:"That it has."`
	Why     string `json:"why" doc:"Why it has it."`
}

// RoleNames are what may be given, as the system calls it.
func (s System) RoleNames() []string {
	names := make([]string, len(s.Roles))
	for i, r := range s.Roles {
		names[i] = r.Role
	}
	return names
}

// OwnLogins says whether people have logins there that Keyholder makes, and sign in by a password of its making.
func (s System) OwnLogins() bool { return s.Connector == "postgres-role" }

// Expects says whether an account has a role for good.
func (s System) Expects(account, role string) bool {
	return slices.ContainsFunc(s.Known, func(k KnownHolder) bool {
		return k.Role == role && (k.Account == account || sameMail(k.Account, account) && strings.Contains(account, "@"))
	})
}

// System finds a system by its slug.
func (c Catalog) System(slug string) (System, bool) { return look[System](c, KindSystem, slug) }

func checkSystem(s System, say sayer) bool {
	if len(s.Roles) == 0 && !say("roles", "at least one is named: nothing else is ever given") {
		return false
	}
	if s.Log == "" && len(s.LogParams) > 0 && !say("log_params", "say by what the log is read, or nothing here") {
		return false
	}
	seen := map[string]bool{}
	for i, r := range s.Roles {
		if seen[r.Role] && !say("roles"+nth(i)+".role", "%q stands twice", r.Role) {
			return false
		}
		seen[r.Role] = true
	}
	for i, k := range s.Known {
		if !seen[k.Role] && strings.TrimSpace(k.Role) != "" && !say("known"+nth(i)+".role", "%q is none of the roles that may be given", k.Role) {
			return false
		}
	}
	return true
}
