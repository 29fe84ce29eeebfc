package catalog

// look finds a record of a type; the zero value where there is none.
func look[T any](c Catalog, k Kind, slug string) (T, bool) {
	e, ok := c.Entry(Ref{k, slug})
	if !ok {
		var none T
		return none, false
	}
	return e.Record.(T), true
}

// Site finds a site by its slug.
func (c Catalog) Site(slug string) (Site, bool) { return look[Site](c, KindSite, slug) }

// Tier finds a tier by its slug.
func (c Catalog) Tier(slug string) (Tier, bool) { return look[Tier](c, KindTier, slug) }

// Capability finds a capability by its slug.
func (c Catalog) Capability(slug string) (Capability, bool) {
	return look[Capability](c, KindCapability, slug)
}

// Segment finds a segment by its slug.
func (c Catalog) Segment(slug string) (Segment, bool) { return look[Segment](c, KindSegment, slug) }

// Tenant finds a tenant by its slug.
func (c Catalog) Tenant(slug string) (Tenant, bool) { return look[Tenant](c, KindTenant, slug) }

// DataSet finds a data set by its slug.
func (c Catalog) DataSet(slug string) (DataSet, bool) { return look[DataSet](c, KindDataSet, slug) }

// Service finds a service by its slug.
func (c Catalog) Service(slug string) (Service, bool) { return look[Service](c, KindService, slug) }

// ThirdParty finds a third party by its slug.
func (c Catalog) ThirdParty(slug string) (ThirdParty, bool) {
	return look[ThirdParty](c, KindThirdParty, slug)
}

// Rule finds a degraded-mode rule by its slug.
func (c Catalog) Rule(slug string) (DegradedModeRule, bool) {
	return look[DegradedModeRule](c, KindRule, slug)
}

// Flow finds a flow by its slug.
func (c Catalog) Flow(slug string) (Flow, bool) { return look[Flow](c, KindFlow, slug) }

// Outlet finds an outlet by its slug.
func (c Catalog) Outlet(slug string) (Outlet, bool) { return look[Outlet](c, KindOutlet, slug) }

// Signal finds a signal by its slug.
func (c Catalog) Signal(slug string) (Signal, bool) { return look[Signal](c, KindSignal, slug) }

// NameOf is what people call a record, or its slug where the catalogue does not have it.
func (c Catalog) NameOf(k Kind, slug string) string {
	if e, ok := c.Entry(Ref{k, slug}); ok {
		return e.Name
	}
	return slug
}

// SiteName is the site's name, or its slug where the catalogue does not have it.
func (c Catalog) SiteName(slug string) string { return c.NameOf(KindSite, slug) }

// ServiceName is the service's name, or its slug where the catalogue does not have it.
func (c Catalog) ServiceName(slug string) string { return c.NameOf(KindService, slug) }
