package workflows

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"keyholder/internal/catalog"
	"keyholder/internal/connector"
	"keyholder/internal/degrade"
	"keyholder/internal/fault"
)

// Told says what is wrong with what a record tells connectors, by the path of the field: what no connector understands is found when it
// is saved, not at night. It touches no system.
func Told(kinds connector.All, c catalog.Catalog, e catalog.Entry) fault.Wrong {
	t := told{kinds: kinds.Acts, wrong: fault.Wrong{}}
	switch r := e.Record.(type) {
	case catalog.DegradedModeRule:
		t.vars = ModeVariables(degrade.Mode{})
		t.act("switch", r.Switch, true)
		t.act("stop", r.Stop, false)
		t.observe("exposure.observe", r.Exposure.Observe)
		t.params("drain", r.Drain.Connector, r.Drain.Params)
		t.observe("drain.observe", r.Drain.Observe)
	case catalog.System:
		if granter, err := kinds.Access.Get(r.Connector); err == nil {
			t.say("params", granter.Check(r.Params))
			t.rolesOnce(granter, c, r)
		}
		if log, err := kinds.Logs.Get(r.Log); err == nil {
			t.say("log_params", log.Check(r.LogParams))
		}
	case catalog.Signal:
		t.observe("observe", r.Observe)
	case catalog.DataSet:
		for _, slug := range r.WriterSites {
			site, _ := c.Site(slug)
			t.vars = siteVariables(site)
			t.observe("position.observe", r.Position.Observe)
		}
	}
	return t.wrong
}

type told struct {
	kinds connector.Set
	vars  map[string]string
	wrong fault.Wrong
}

// rolesOnce refuses a role that two systems give that are one real system: what one takes the other may have given.
func (t told) rolesOnce(granter connector.Granter, c catalog.Catalog, s catalog.System) {
	there := granter.System(s.Params)
	for _, other := range c.Systems {
		if other.Slug == s.Slug || other.Connector != s.Connector || there == "" || granter.System(other.Params) != there {
			continue
		}
		for i, role := range s.RoleNames() {
			if slices.Contains(other.RoleNames(), role) {
				t.wrong.Add(fmt.Sprintf("roles[%d].role", i), "%s gives %q on the same real system: what one of the two takes the other may have given", other.Name, role)
			}
		}
	}
}

// act is what a connector brings about and, where it is taken back, undoes; either is read back.
func (t told) act(path string, a catalog.Act, back bool) {
	t.params(path, a.Connector, a.Params)
	var proofs struct {
		DoneWhen   []json.RawMessage `json:"done_when"`
		Undo       json.RawMessage   `json:"undo"`
		UndoneWhen []json.RawMessage `json:"undone_when"`
	}
	if a.Connector != "http" || json.Unmarshal(a.Params, &proofs) != nil {
		return // the others read back whatever they do
	}
	switch {
	case len(proofs.DoneWhen) == 0:
		t.wrong.Add(path+".params", "done_when is missing: what cannot be read back is not on")
	case back && len(proofs.Undo) == 0:
		t.wrong.Add(path+".params", "undo is missing: what is switched on must be switched off")
	case back && len(proofs.UndoneWhen) == 0:
		t.wrong.Add(path+".params", "undone_when is missing: what cannot be read back is not off")
	}
}

// observe is what the http connector looks at.
func (t told) observe(path string, params connector.Params) {
	if len(params) > 0 {
		t.fits(path, "http", params)
	}
}

func (t told) params(path, kind string, params connector.Params) {
	switch _, err := t.kinds.Get(kind); {
	case kind == "" && len(params) == 0:
	case err != nil:
		t.wrong.Add(path+".connector", "%s", connector.Words(err))
	default:
		t.fits(path+".params", kind, params)
	}
}

func (t told) fits(path, kind string, params connector.Params) {
	c, err := t.kinds.Get(kind)
	if err == nil {
		params, err = connector.Fill(params, t.vars)
	}
	if err == nil {
		err = c.Check(params)
	}
	t.say(path, err)
}

// say notes what a connector says is wrong.
func (t told) say(path string, err error) {
	if f := fault.As(err); f != nil && len(f.Fields) > 0 {
		for _, field := range slices.Sorted(maps.Keys(f.Fields)) {
			t.wrong.Add(path, "%s %s", field, f.Fields[field])
		}
		return
	}
	if err != nil {
		t.wrong.Add(path, "%s", connector.Words(err))
	}
}
