package view

// FilesPage is where files of records are tried, applied and fetched.
type FilesPage struct {
	Page
	MayApply bool
	Problem  *Refusal
	Wrong    map[string]string
	Errors   []string // what is wrong with the files, each with its place

	Files       []TypedFile
	Hidden      bool // the files are too large, or not text: they are not shown and have to be chosen again
	Why, Source string
	Prune, Lock bool

	Planned bool // what applying would change follows
	ByTwo   bool // a second person must approve it
	Act     string
	Base    int // the version of the catalogue that this was found on
	Seen    string
	Changes []RecordChange
	Total   int
	Others  []string
}

// Nothing says that all of it is in force already.
func (p FilesPage) Nothing() bool { return p.Planned && p.Total == 0 && len(p.Others) == 0 }

// TypedFile is a file whose text can be worked on.
type TypedFile struct{ Name, Body string }

// FilesPath leads to the page of files.
func FilesPath() string { return "/catalog-files" }

// ExportPath leads to all records in one file.
func ExportPath() string { return FilesPath() + "/export.yaml" }

// SchemaPath leads to the JSON Schema of a record.
func SchemaPath() string { return FilesPath() + "/schema.json" }
