package workflows

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"regexp"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"
)

// Key encrypts what processes keep in Temporal. Its name stands there in clear; its value is 32 bytes.
type Key struct {
	Name  string
	Value []byte
}

// What an encrypted payload says of itself; the same words as in Temporal's own sample, so that its tools recognise it.
const (
	encodingEncrypted = "binary/encrypted"
	metadataKeyID     = "encryption-key-id"
)

// boundTo is what a ciphertext is good for: a payload of this product, under the key that the payload names.
const boundTo = "keyholder/payload/1\x00"

var keyName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,31}$`)

// Codec encrypts all that the product puts into Temporal. Every codec decrypts, and passes on what is not encrypted: processes that
// began before there was a key go on. It is safe for concurrent use.
type Codec struct {
	first string // the name of the key that encrypts; nothing where there is none
	keys  map[string]cipher.AEAD
}

// NewCodec encrypts with the first key and decrypts with all. Without keys it encrypts nothing.
func NewCodec(keys ...Key) (*Codec, error) {
	c := &Codec{keys: map[string]cipher.AEAD{}}
	for i, k := range keys {
		if !keyName.MatchString(k.Name) { // not repeated: it may be the key itself
			return nil, fmt.Errorf("the name of key %d must be of at most 32 small letters, digits, dots, dashes and underscores", i+1)
		}
		if c.keys[k.Name] != nil {
			return nil, fmt.Errorf("there are two keys with the name %s", k.Name)
		}
		if len(k.Value) != 32 {
			return nil, fmt.Errorf("the key %s has %d bytes, not 32", k.Name, len(k.Value))
		}
		block, err := aes.NewCipher(k.Value)
		if err != nil {
			return nil, fmt.Errorf("make the cipher of the key %s: %w", k.Name, err)
		}
		if c.keys[k.Name], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, fmt.Errorf("make the cipher of the key %s: %w", k.Name, err)
		}
	}
	if len(keys) > 0 {
		c.first = keys[0].Name
	}
	return c, nil
}

// Encrypts says whether there is a key to encrypt with.
func (c *Codec) Encrypts() bool { return c.first != "" }

// Encode encrypts each payload whole, with what it says of itself.
func (c *Codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	if !c.Encrypts() {
		return payloads, nil
	}
	sealed := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		plain, err := proto.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("write a payload: %w", err)
		}
		sealed[i] = &commonpb.Payload{
			Metadata: map[string][]byte{converter.MetadataEncoding: []byte(encodingEncrypted), metadataKeyID: []byte(c.first)},
			Data:     c.keys[c.first].Seal(nil, nil, plain, []byte(boundTo+c.first)), //nolint:gosec // the cipher makes the nonce itself, at random
		}
	}
	return sealed, nil
}

// Decode decrypts what is encrypted and passes on the rest. It fails with an error that is ErrSealed.
func (c *Codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	plain := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		if plain[i] = p; string(p.GetMetadata()[converter.MetadataEncoding]) != encodingEncrypted {
			continue
		}
		var err error
		if plain[i], err = c.open(p); err != nil {
			return nil, err
		}
	}
	return plain, nil
}

// ErrSealed says that a payload cannot be decrypted.
var ErrSealed = errors.New("what a process keeps in Temporal cannot be read")

func (c *Codec) open(p *commonpb.Payload) (*commonpb.Payload, error) {
	name := string(p.GetMetadata()[metadataKeyID])
	key := c.keys[name]
	if key == nil {
		return nil, fmt.Errorf("%w: it was encrypted with the key %.40q, which is not among the keys here", ErrSealed, name)
	}
	body, err := key.Open(nil, nil, p.GetData(), []byte(boundTo+name))
	if err != nil { // the cause says no more
		return nil, fmt.Errorf("%w: it was not encrypted with the key %q of here, or was changed since", ErrSealed, name)
	}
	plain := &commonpb.Payload{}
	if err := proto.Unmarshal(body, plain); err != nil { // the cause could show a part
		return nil, fmt.Errorf("%w: what the key %q decrypts is no payload", ErrSealed, name)
	}
	return plain, nil
}

// Through has a client and its workers keep nothing in Temporal but by the codec, errors and their stack traces included.
func (c *Codec) Through(o client.Options) client.Options {
	o.DataConverter = c.converter()
	o.FailureConverter = temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter: o.DataConverter, EncodeCommonAttributes: c.Encrypts(),
	})
	return o
}

func (c *Codec) converter() converter.DataConverter {
	return blocking{DataConverter: converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), c)}
}

// blocking holds a process up that cannot read what it keeps: an error would fail it for good, and with it whatever it carries out,
// where all that is missing is a key. Temporal tries a process that panics again until it goes on.
type blocking struct {
	converter.DataConverter
	inProcess bool
}

// WithWorkflowContext is the converter inside a process.
func (b blocking) WithWorkflowContext(workflow.Context) converter.DataConverter {
	return blocking{b.DataConverter, true}
}

// WithContext is the converter everywhere else.
func (b blocking) WithContext(context.Context) converter.DataConverter { return b }

// FromPayload reads one value.
func (b blocking) FromPayload(p *commonpb.Payload, into any) error {
	return b.block(b.DataConverter.FromPayload(p, into))
}

// FromPayloads reads values.
func (b blocking) FromPayloads(p *commonpb.Payloads, into ...any) error {
	return b.block(b.DataConverter.FromPayloads(p, into...))
}

func (b blocking) block(err error) error {
	if b.inProcess && errors.Is(err, ErrSealed) {
		panic(err)
	}
	return err
}
