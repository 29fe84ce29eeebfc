package web

import (
	"github.com/labstack/echo/v4"

	"keyholder/internal/access"
	"keyholder/web/api"
)

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

// OperationsForTest is what can be asked of the JSON API.
func OperationsForTest() []api.Operation { return (&Server{}).addAPI(echo.New()) }

// WantedWordsForTest says who is still wanted.
var WantedWordsForTest = wantedWords
