package pgrole

import (
	"strings"
	"testing"
)

func TestPasswordsThatAStatementSetsAreHiddenAndNothingElseIs(t *testing.T) {
	const secret = "s3cret-value"
	for _, statement := range []string{
		"ALTER ROLE eve PASSWORD 's3cret-value'", "ALTER ROLE eve PASSWORD's3cret-value'", "CREATE USER eve PASSWORD/*x*/'s3cret-value' LOGIN",
		"ALTER ROLE eve PASSWORD -- now\n's3cret-value'", `ALTER ROLE eve PASSWORD E'a\'s3cret-value'`, "ALTER ROLE eve PASSWORD 'it''s3cret-value'",
		"ALTER ROLE eve password U&'s3cret-value'", "ALTER ROLE eve PASSWORD $$s3cret-value$$", "ALTER ROLE eve PASSWORD $x$s3cret-value$x$",
		"CREATE SUBSCRIPTION s CONNECTION 'host=db password=s3cret-value dbname=x' PUBLICATION p", "SELECT dblink_connect('password = s3cret-value')",
		"DO $$ BEGIN EXECUTE 'ALTER ROLE eve PASSWORD ''s3cret-value'''; END $$", "CREATE USER MAPPING FOR eve SERVER s OPTIONS (user 'eve', password 's3cret-value')",
		"ALTER ROLE eve PASSWORD 's3cret-value", // a mistake, which the server logs all the same
	} {
		if said := hidden(statement); strings.Contains(said, secret) || !strings.Contains(said, "…") {
			t.Errorf("%s\nis kept as\n%s", statement, said)
		}
	}
	for _, statement := range []string{
		"/* password '*/ DROP TABLE orders; /*'*/", "SELECT 1; -- password '\nDELETE FROM orders", "SELECT 'it''s' /* /* password */ ' */, 'x'", "SELECT password FROM users WHERE name = 'ada'",
		`SELECT "password 'x'" FROM t; DROP TABLE orders`, "SELECT $1, $2", "SELECT 'unfinished; password x; DROP TABLE orders", "", "'", "$", "$$", "/*", "E'", "password",
	} {
		if said := hidden(statement); said != statement {
			t.Errorf("%s\nis kept as\n%s", statement, said)
		}
	}
}

func FuzzHidingHidesNoWordOfAStatement(f *testing.F) {
	f.Add("ALTER ROLE eve PASSWORD 'x'; DROP TABLE orders")
	f.Add("$a$ E'\\' U&\"x\" /* -- */ $a$")
	f.Fuzz(func(t *testing.T, sql string) {
		said := hidden(sql + "\n; DROP TABLE orders")
		if !strings.Contains(said, "DROP TABLE orders") && !strings.ContainsAny(sql, `'"$/`) {
			t.Errorf("%q is kept as %q", sql, said)
		}
	})
}
