package lease

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"keyholder/demo/shop/control"
)

type order struct {
	Site string `json:"site"`
}

func (s *Service) order(body []byte) (site, problem string) {
	var o order
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&o); err != nil {
		return "", `the request must be {"site": "..."}`
	}
	if !slices.Contains(s.cfg.Sites, o.Site) {
		return "", fmt.Sprintf("there is no site %q", o.Site)
	}
	return o.Site, ""
}

func (s *Service) revoke(ctx context.Context, tx *sql.Tx, body []byte) (control.Answer, error) {
	site, problem := s.order(body)
	if problem != "" {
		return control.Refusal(http.StatusUnprocessableEntity, problem), nil
	}
	if err := revoke(ctx, tx, site); err != nil {
		return control.Answer{}, err
	}
	return s.answer(ctx, tx)
}

func (s *Service) grant(ctx context.Context, tx *sql.Tx, body []byte) (control.Answer, error) {
	site, problem := s.order(body)
	if problem != "" {
		return control.Refusal(http.StatusUnprocessableEntity, problem), nil
	}
	inTheWay, err := grant(ctx, tx, s.cfg.Sites, site, s.now())
	if err != nil {
		return control.Answer{}, err
	}
	if inTheWay != "" {
		return control.Refusal(http.StatusConflict, inTheWay+" is not fenced: two sites would write"), nil
	}
	return s.answer(ctx, tx)
}

func (s *Service) answer(ctx context.Context, tx *sql.Tx) (control.Answer, error) {
	overview, err := s.overview(ctx, tx)
	return control.Answer{Status: http.StatusOK, Body: overview}, err
}
