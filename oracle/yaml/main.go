// Command yaml reads documents and says what sigs.k8s.io/yaml makes of each, as kubectl does.
//
// Input, repeated: the length in decimal, a line feed, so many bytes. Output: one line of JSON
// each: {"json": …}, or {"error": "…"}. "ambiguous" is set when two keys of one map become the
// same string: Go's result then depends on its random order of maps.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
	goyaml "sigs.k8s.io/yaml/goyaml.v2"
)

type answer struct {
	JSON      json.RawMessage `json:"json,omitempty"`
	Error     string          `json:"error,omitempty"`
	Ambiguous bool            `json:"ambiguous,omitempty"`
}

func ambiguous(value any) bool {
	switch value := value.(type) {
	case map[any]any:
		seen := map[string]bool{}
		for key, item := range value {
			text := fmt.Sprint(key)
			if float, ok := key.(float64); ok {
				text = strconv.FormatFloat(float, 'g', -1, 32)
				text = strings.NewReplacer("+Inf", ".inf", "-Inf", "-.inf", "NaN", ".nan").Replace(text)
			}
			if seen[text] || ambiguous(item) {
				return true
			}
			seen[text] = true
		}
	case []any:
		for _, item := range value {
			if ambiguous(item) {
				return true
			}
		}
	}
	return false
}

func read(document []byte) (result answer) {
	defer func() {
		if problem := recover(); problem != nil {
			result = answer{Error: fmt.Sprint("panic: ", problem)}
		}
	}()
	text, err := yaml.YAMLToJSON(document)
	if err != nil {
		return answer{Error: err.Error()}
	}
	var value any
	if err := goyaml.Unmarshal(document, &value); err != nil {
		return answer{Error: err.Error()}
	}
	return answer{JSON: text, Ambiguous: ambiguous(value)}
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	for {
		line, err := in.ReadString('\n')
		if err == io.EOF && line == "" {
			break
		}
		length, parseErr := strconv.Atoi(strings.TrimSpace(line))
		if err != nil || parseErr != nil {
			fmt.Fprintln(os.Stderr, "a length is malformed:", line)
			os.Exit(1)
		}
		document := make([]byte, length)
		if _, err := io.ReadFull(in, document); err != nil {
			fmt.Fprintln(os.Stderr, "a document is cut off:", err)
			os.Exit(1)
		}
		encoded, err := json.Marshal(read(document))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		out.Write(encoded)
		out.WriteByte('\n')
		if in.Buffered() == 0 {
			out.Flush()
		}
	}
	out.Flush()
}
