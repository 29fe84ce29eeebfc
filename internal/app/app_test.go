package app

import (
	"testing"

	"keyholder/internal/catalog"
)

func TestTheCatalogueAndTheConnectorsAgreeOnWhoMakesLogins(t *testing.T) {
	kinds := Connectors()
	for kind, granter := range kinds.Access {
		if own := (catalog.System{Connector: kind}).OwnLogins(); own != granter.Signs() {
			t.Errorf("%s: the catalogue says %v, the connector %v", kind, own, granter.Signs())
		}
	}
	if len(kinds.Access) == 0 || len(kinds.Logs) == 0 {
		t.Error("there are no connectors")
	}
}
