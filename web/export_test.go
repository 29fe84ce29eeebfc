package web

import "keyholder/internal/access"

// RouteForTest is a row of the route table, for the test that walks it.
type RouteForTest struct {
	Method, Path string
	Needs        access.Permission
}

// RoutesForTest is the route table.
func RoutesForTest() []RouteForTest {
	var rows []RouteForTest
	for _, r := range (&Server{}).routes() {
		rows = append(rows, RouteForTest{r.Method, r.Path, r.Needs})
	}
	return rows
}
