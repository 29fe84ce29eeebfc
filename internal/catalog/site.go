package catalog

// Site is a place where services run: a region, or a zone within one. Addresses are what plans and signals may refer to
// as ${from.NAME} or ${site.NAME}.
type Site struct {
	Slug      string            `json:"slug"`
	Name      string            `json:"name"`
	Within    string            `json:"within,omitempty" ref:"site" doc:"The region that a zone lies in. It fails with its region."`
	Addresses map[string]string `json:"addresses,omitempty" doc:"What plans and signals may refer to, by name."`
}

// Within says which sites fail when one does: itself and the zones within it, however deep.
func (c Catalog) within(failed []string) map[string]bool {
	down := map[string]bool{}
	for _, slug := range failed {
		down[slug] = true
	}
	for grown := len(down) > 0; grown; {
		grown = false
		for _, s := range c.Sites {
			if s.Within != "" && down[s.Within] && !down[s.Slug] {
				down[s.Slug], grown = true, true
			}
		}
	}
	return down
}
