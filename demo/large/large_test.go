package large_test

import (
	"bytes"
	"testing"

	"keyholder/demo/large"
	"keyholder/internal/bundle"
	"keyholder/internal/catalog"
)

func TestTheLargeCatalogueIsAsLargeAsItSaysAndSound(t *testing.T) {
	b := large.Bundle()
	c, err := b.Catalog(catalog.Catalog{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range c.Services {
		n += len(s.Dependencies)
	}
	if len(c.Services) != 5000 || n != 40000 || len(c.Flows) != 500 || len(c.Tenants) != 200 || len(c.Outlets) != 3000 {
		t.Errorf("%d services, %d dependencies, %d flows, %d tenants, %d outlets", len(c.Services), n, len(c.Flows), len(c.Tenants), len(c.Outlets))
	}
	for p := range c.Problems() {
		t.Fatal(p)
	}
	if cycles := c.Cycles(); len(cycles) > 0 {
		t.Errorf("it has cycles: %v", cycles)
	}
	var first, again bytes.Buffer
	if err := bundle.Write(&first, b); err != nil {
		t.Fatal(err)
	}
	if err := bundle.Write(&again, large.Bundle()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), again.Bytes()) {
		t.Error("it is not the same each time")
	}
	if first.Len() > bundle.MaxFiles {
		t.Errorf("its file has %d bytes, at most %d are read", first.Len(), bundle.MaxFiles)
	}
}
