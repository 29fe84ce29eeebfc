package fault_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryRefusalNamesItsRuleAndWhoCanAct reads the code: no refusal is made without both.
func TestEveryRefusalNamesItsRuleAndWhoCanAct(t *testing.T) {
	seen := 0
	for _, folder := range []string{"..", "../../web", "../../workflows"} {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || !isRefused(call) {
					return true
				}
				seen++
				for i, what := range []string{"a rule", "who can act"} {
					if text, ok := call.Args[i].(*ast.BasicLit); ok && text.Value == `""` {
						t.Errorf("%s refuses without %s", files.Position(call.Pos()), what)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 25 {
		t.Errorf("only %d refusals were found: the test looks in the wrong place", seen)
	}
}

func isRefused(call *ast.CallExpr) bool {
	of, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || of.Sel.Name != "Refused" || len(call.Args) < 3 {
		return false
	}
	in, ok := of.X.(*ast.Ident)
	return ok && in.Name == "fault"
}
