// Command hcl reads Terraform files and says what HashiCorp's own library makes of each: how
// `terraform fmt` writes it, and its attributes and blocks.
//
// Input, repeated: the length in decimal, a line feed, so many bytes. Output: one line of JSON
// each: {"formatted": "…", "body": {"attributes": {NAME: VALUE}, "blocks": [{"type", "labels",
// "body"}]}}, or {"error": "…"}. A VALUE is {"value": …} where it needs no variable or function,
// else {"expression": "…"}: its text, formatted.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

type answer struct {
	Formatted string `json:"formatted,omitempty"`
	Body      *body  `json:"body,omitempty"`
	Error     string `json:"error,omitempty"`
}

type body struct {
	Attributes map[string]value `json:"attributes"`
	Blocks     []block          `json:"blocks"`
}

type block struct {
	Type   string   `json:"type"`
	Labels []string `json:"labels"`
	Body   *body    `json:"body"`
}

type value struct {
	Value      json.RawMessage `json:"value,omitempty"`
	Expression string          `json:"expression,omitempty"`
}

func main() {
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for {
		line, err := in.ReadString('\n')
		if err == io.EOF && line == "" {
			return
		}
		length, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			fmt.Fprintln(os.Stderr, "hcl: a length expected:", err)
			os.Exit(2)
		}
		text := make([]byte, length)
		if _, err := io.ReadFull(in, text); err != nil {
			fmt.Fprintln(os.Stderr, "hcl:", err)
			os.Exit(2)
		}
		if err := out.Encode(look(text)); err != nil {
			fmt.Fprintln(os.Stderr, "hcl:", err)
			os.Exit(2)
		}
	}
}

func look(text []byte) answer {
	start := hcl.Pos{Line: 1, Column: 1}
	read, diagnostics := hclsyntax.ParseConfig(text, "main.tf", start)
	if diagnostics.HasErrors() {
		return answer{Error: diagnostics.Error()}
	}
	file, diagnostics := hclwrite.ParseConfig(text, "main.tf", start)
	if diagnostics.HasErrors() {
		return answer{Error: diagnostics.Error()}
	}
	tidy(file.Body())
	return answer{
		Formatted: string(file.Bytes()),
		Body:      describe(read.Body.(*hclsyntax.Body), text),
	}
}

// What `terraform fmt` does beyond the library's formatting: labels get quotes, and a text that
// is nothing but one interpolation becomes what is in it.
func tidy(body *hclwrite.Body) {
	for name, attribute := range body.Attributes() {
		tokens := attribute.Expr().BuildTokens(nil)
		if inner, ok := unwrap(tokens); ok {
			body.SetAttributeRaw(name, inner)
		}
	}
	for _, block := range body.Blocks() {
		block.SetLabels(block.Labels())
		tidy(block.Body())
	}
}

func unwrap(tokens hclwrite.Tokens) (hclwrite.Tokens, bool) {
	last := len(tokens) - 1
	if last < 4 ||
		tokens[0].Type != hclsyntax.TokenOQuote || tokens[last].Type != hclsyntax.TokenCQuote ||
		tokens[1].Type != hclsyntax.TokenTemplateInterp ||
		tokens[last-1].Type != hclsyntax.TokenTemplateSeqEnd {
		return nil, false
	}
	inner := tokens[2 : last-1]
	depth := 0
	lines := false
	for _, token := range inner {
		switch token.Type {
		case hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenTemplateSeqEnd:
			depth--
		case hclsyntax.TokenNewline:
			lines = true
		case hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit:
			// Text between two interpolations: not one, then.
			if depth == 0 && !quoted(inner, token) {
				return nil, false
			}
		}
		if depth < 0 {
			return nil, false
		}
	}
	if lines {
		inner = append(append(hclwrite.Tokens{{Type: hclsyntax.TokenOParen, Bytes: []byte("(")}}, inner...),
			&hclwrite.Token{Type: hclsyntax.TokenCParen, Bytes: []byte(")")})
	}
	return inner, true
}

// Whether a piece of text stands within quotes of its own.
func quoted(tokens hclwrite.Tokens, sought *hclwrite.Token) bool {
	depth := 0
	for _, token := range tokens {
		switch token.Type {
		case hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			depth++
		case hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			depth--
		}
		if token == sought {
			return depth > 0
		}
	}
	return false
}

func describe(from *hclsyntax.Body, text []byte) *body {
	all := &body{Attributes: map[string]value{}, Blocks: []block{}}
	for name, attribute := range from.Attributes {
		all.Attributes[name] = evaluate(attribute.Expr, text)
	}
	for _, inner := range from.Blocks {
		labels := inner.Labels
		if labels == nil {
			labels = []string{}
		}
		all.Blocks = append(all.Blocks, block{inner.Type, labels, describe(inner.Body, text)})
	}
	return all
}

func evaluate(expression hclsyntax.Expression, text []byte) value {
	known, diagnostics := expression.Value(nil)
	if !diagnostics.HasErrors() && known.IsWhollyKnown() {
		if encoded, err := ctyjson.Marshal(known, cty.DynamicPseudoType); err == nil {
			var typed struct {
				Value json.RawMessage `json:"value"`
			}
			if json.Unmarshal(encoded, &typed) == nil {
				return value{Value: typed.Value}
			}
		}
	}
	source := expression.Range().SliceBytes(text)
	return value{Expression: string(hclwrite.Format(source))}
}
