package catalog

// find returns the element whose slug is wanted.
func find[T any](all []T, slug string, slugOf func(T) string) (T, bool) {
	for _, one := range all {
		if slugOf(one) == slug {
			return one, true
		}
	}
	var none T
	return none, false
}

// Site finds a site by its slug.
func (c Catalog) Site(slug string) (Site, bool) {
	return find(c.Sites, slug, func(s Site) string { return s.Slug })
}

// Tier finds a tier by its slug.
func (c Catalog) Tier(slug string) (Tier, bool) {
	return find(c.Tiers, slug, func(t Tier) string { return t.Slug })
}

// Capability finds a capability by its slug.
func (c Catalog) Capability(slug string) (Capability, bool) {
	return find(c.Capabilities, slug, func(x Capability) string { return x.Slug })
}

// DataSet finds a data set by its slug.
func (c Catalog) DataSet(slug string) (DataSet, bool) {
	return find(c.DataSets, slug, func(d DataSet) string { return d.Slug })
}

// Service finds a service by its slug.
func (c Catalog) Service(slug string) (Service, bool) {
	return find(c.Services, slug, func(s Service) string { return s.Slug })
}

// Signal finds a signal by its slug.
func (c Catalog) Signal(slug string) (Signal, bool) {
	return find(c.Signals, slug, func(s Signal) string { return s.Slug })
}

// SiteName is the site's name, or its slug where the catalogue no longer has it.
func (c Catalog) SiteName(slug string) string {
	if s, ok := c.Site(slug); ok {
		return s.Name
	}
	return slug
}

// ServiceName is the service's name, or its slug where the catalogue no longer has it.
func (c Catalog) ServiceName(slug string) string {
	if s, ok := c.Service(slug); ok {
		return s.Name
	}
	return slug
}
