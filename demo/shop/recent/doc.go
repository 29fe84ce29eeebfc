// Package recent owns a short memory of what happened and when. It never keeps anything on disk.
package recent
