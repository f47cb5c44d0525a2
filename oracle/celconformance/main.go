// Command oracle-celconformance turns CEL's conformance tests, which are
// published as text protocol buffers, into JSON that a reader without protocol
// buffers can run:
//
//	oracle-celconformance TESTDATA-DIR OUT-DIR
//
// Each FILE.textproto becomes OUT-DIR/FILE.json in protobuf's JSON mapping
// (camelCase names, 64-bit integers as strings, bytes as base64, `Any` with
// its `@type`).
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	// The message types that the tests' `Any` fields hold.
	_ "cel.dev/expr/conformance/proto2"
	_ "cel.dev/expr/conformance/proto3"
	_ "google.golang.org/protobuf/types/known/anypb"
	_ "google.golang.org/protobuf/types/known/durationpb"
	_ "google.golang.org/protobuf/types/known/emptypb"
	_ "google.golang.org/protobuf/types/known/fieldmaskpb"
	_ "google.golang.org/protobuf/types/known/structpb"
	_ "google.golang.org/protobuf/types/known/timestamppb"
	_ "google.golang.org/protobuf/types/known/wrapperspb"

	"cel.dev/expr/conformance/test"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/prototext"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: oracle-celconformance TESTDATA-DIR OUT-DIR")
		os.Exit(2)
	}
	if err := convertAll(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func convertAll(from, to string) error {
	files, err := filepath.Glob(filepath.Join(from, "*.textproto"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("no *.textproto in `%s`", from)
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	tests := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".textproto") + ".json"
		n, err := convert(file, filepath.Join(to, name))
		if err != nil {
			return fmt.Errorf("`%s`: %w", filepath.Base(file), err)
		}
		tests += n
	}
	fmt.Printf("%d files, %d tests\n", len(files), tests)
	return nil
}

func convert(from, to string) (int, error) {
	text, err := os.ReadFile(from)
	if err != nil {
		return 0, err
	}
	var file test.SimpleTestFile
	if err := prototext.Unmarshal(text, &file); err != nil {
		return 0, err
	}
	raw, err := protojson.Marshal(&file)
	if err != nil {
		return 0, err
	}
	// protojson varies its white space on purpose; the same input must give
	// the same bytes here.
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", " "); err != nil {
		return 0, err
	}
	out.WriteByte('\n')
	tests := 0
	for _, section := range file.Section {
		tests += len(section.Test)
	}
	return tests, os.WriteFile(to, out.Bytes(), 0o644)
}
