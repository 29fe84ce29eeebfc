package workflows

import (
	"errors"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"keyholder/internal/fault"
)

// DecodeJSON answers Temporal's tools, which ask for payloads to be decrypted as JSON: {"payloads": […]}. It also says how many they
// asked for, if what they sent can be read.
func (c *Codec) DecodeJSON(body []byte) (answer []byte, asked int, err error) {
	var in commonpb.Payloads
	if err := protojson.Unmarshal(body, &in); err != nil {
		return nil, 0, &fault.Error{Kind: fault.Invalid, Message: `The body must be Temporal's {"payloads": [{"metadata": {…}, "data": "…"}, …]}.`, Err: err}
	}
	asked = len(in.GetPayloads())
	plain, err := c.Decode(in.GetPayloads())
	if errors.Is(err, ErrSealed) {
		return nil, asked, &fault.Error{Kind: fault.Invalid, Message: err.Error() + "."}
	}
	if err != nil {
		return nil, asked, err
	}
	answer, err = protojson.Marshal(&commonpb.Payloads{Payloads: plain})
	if err != nil {
		return nil, asked, fmt.Errorf("write payloads: %w", err)
	}
	return answer, asked, nil
}
