package connector

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestNobodyHidesAnActByMuchAdoAroundIt(t *testing.T) {
	for name, ado := range map[string]string{"many short acts": "SELECT 1", "few long ones": strings.Repeat("x", MaxEntry-1)} {
		var a Activity
		for n := range 12_000 {
			text := ado
			switch n {
			case 0, 11_999:
				text = fmt.Sprint("DROP TABLE at ", n)
			}
			a.Add(ActivityEntry{At: time.Unix(int64(n), 0), Text: text})
		}
		a.Close()
		size := 0
		for _, e := range a.Entries {
			size += len(e.Text)
		}
		last := a.Entries[len(a.Entries)-1]
		if a.Entries[0].Text != "DROP TABLE at 0" || last.Text != "DROP TABLE at 11999" || len(a.Entries)+a.LeftOut != 12_000 || size > MaxActivity || len(a.Entries) > MaxEntries {
			t.Errorf("%s: %d entries of %d bytes, %d left out, the last %.30q", name, len(a.Entries), size, a.LeftOut, last.Text)
		}
	}
}

func TestOfALongEntryTheBeginningAndTheEndAreKeptAndThatIsSaid(t *testing.T) {
	var a Activity
	a.Add(ActivityEntry{Text: "SELECT '" + strings.Repeat("ü", 20<<10) + "'; DROP TABLE orders"})
	a.Close()
	text := a.Entries[0].Text
	if !strings.HasPrefix(text, "SELECT") || !strings.HasSuffix(text, "DROP TABLE orders") || len(text) > MaxEntry+40 || a.Partial == "" || strings.ContainsRune(text, '\uFFFD') {
		t.Errorf("%d bytes, %q", len(text), a.Partial)
	}
}
