package main

import (
	"os"
	"strings"
	"testing"
)

func TestTheDarkThemeIsMadeFromTheVendoredStyleSheet(t *testing.T) {
	css, err := os.ReadFile("../vendor/tabler.min.css")
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile("../vendor/tabler-dark.css")
	if err != nil {
		t.Fatal(err)
	}
	if made := dark(string(css)); made != string(kept) {
		t.Errorf("static/vendor/tabler-dark.css is not what the generator makes: %d bytes, %d are kept", len(made), len(kept))
	}
}

func TestOnlyRulesOfTheDarkThemeAreTaken(t *testing.T) {
	got := dark("a{b:c}[data-bs-theme=dark],[data-bs-theme=dark] .x{d:e}@media print{[data-bs-theme=dark]{f:g}}[data-bs-theme=light]{h:i}")
	if !strings.Contains(got, ":root,:root .x{d:e}") || strings.Contains(got, "f:g") || strings.Contains(got, "h:i") || strings.Contains(got, "b:c") {
		t.Error(got)
	}
}
