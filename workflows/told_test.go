package workflows_test

import (
	"encoding/json"
	"strings"
	"testing"

	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	"keyholder/internal/connector/httpc"
	"keyholder/internal/connector/pgrole"
	"keyholder/workflows"
)

func TestARoleIsGivenByOneSystemOnlyOfThoseThatAreOneServer(t *testing.T) {
	granters := connector.NewGranters(pgrole.New(connector.NewSecrets(func(string) (string, bool) { return "", false })))
	system := func(slug, at, role string) catalog.System {
		return catalog.System{
			Slug: slug, Name: slug, Connector: pgrole.Kind, Params: json.RawMessage(`{"connection":"env:` + at + `"}`), Roles: []catalog.TargetRole{{Role: role, Does: "read"}},
		}
	}
	one := system("one", "A", "reader")
	for name, c := range map[string]struct {
		other catalog.System
		wrong bool
	}{
		"the same role on the same server":    {system("other", "A", "reader"), true},
		"another role on the same server":     {system("other", "A", "writer"), false},
		"the same role on another server":     {system("other", "B", "reader"), false},
		"the system itself, as it was before": {system("one", "A", "reader"), false},
	} {
		in := catalog.Catalog{Systems: []catalog.System{c.other}}
		e, err := catalog.EntryOf(one)
		if err != nil {
			t.Fatal(err)
		}
		wrong := workflows.Told(connector.All{Access: granters}, in, e)
		if (wrong["roles[0].role"] != "") != c.wrong {
			t.Errorf("%s: %v", name, wrong)
		}
	}
}

func TestWhatALogIsToldIsCheckedWhenASystemIsSaved(t *testing.T) {
	secrets := connector.NewSecrets(func(string) (string, bool) { return "", false })
	kinds := connector.All{Logs: connector.NewActivityLogs(pgrole.NewLog(secrets), httpc.NewActivity(secrets))}
	for name, c := range map[string]struct{ log, params, wrong string }{
		"a log of PostgreSQL":             {"postgres-log", `{"connection":"env:A"}`, ""},
		"one whose address is no secret":  {"postgres-log", `{"connection":"postgres://x"}`, "connection"},
		"a log over HTTP":                 {"http", `{"url":"https://logs.example.com/?who=${access.account}","at":"/at"}`, ""},
		"one that does not say when":      {"http", `{"url":"https://logs.example.com/${access.account}"}`, "at"},
		"one of variables there are none": {"http", `{"url":"https://logs.example.com/${whoever}","at":"/at"}`, "url"},
	} {
		e, err := catalog.EntryOf(catalog.System{Slug: "s", Name: "S", Connector: "http", Log: c.log, LogParams: json.RawMessage(c.params)})
		if err != nil {
			t.Fatal(err)
		}
		wrong := workflows.Told(kinds, catalog.Catalog{}, e)
		if c.wrong == "" && len(wrong) > 0 || c.wrong != "" && !strings.Contains(wrong["log_params"], c.wrong) {
			t.Errorf("%s: %v", name, wrong)
		}
	}
}
