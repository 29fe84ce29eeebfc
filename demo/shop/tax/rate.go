package tax

import "fmt"

// The rates in percent. Food and drink is tax-free; the standard rate is what a shop without the engine takes.
const (
	standard = 20
	food     = 0
	highest  = 30 // no rate is above it
)

func rateOf(sku string) int64 {
	switch sku {
	case "TEA-250", "JAM-PLUM":
		return food
	default:
		return standard
	}
}

// Standard is the tax at the standard rate.
func Standard(netMinor int64) int64 { return at(standard, netMinor) }

func at(percent, netMinor int64) int64 { return (netMinor*percent + 50) / 100 }

// Implausible says why no engine can have meant this tax; it is nil if it can.
func Implausible(taxMinor *int64, netMinor int64) error {
	switch {
	case taxMinor == nil:
		return fmt.Errorf("the tax is missing")
	case *taxMinor < 0:
		return fmt.Errorf("a tax of %d is less than nothing", *taxMinor)
	case *taxMinor > at(highest, netMinor):
		return fmt.Errorf("a tax of %d on %d is more than %d %%", *taxMinor, netMinor, highest)
	}
	return nil
}
