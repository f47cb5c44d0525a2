// Command cel evaluates expressions as a Kubernetes API server does: one JSON object
// {"expr": "…", "vars": {…}} a line in, one object with "value", "error" or "unknown" a line out.
// Values are written in a canonical text that keeps types apart. "unchecked" says that the type
// checker refused the expression and that it was evaluated without it.
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"k8s.io/apimachinery/pkg/util/version"
	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/environment"
)

// The variables every expression may use, all of dynamic type.
var names = []string{"o", "l", "m", "s", "t", "n", "k", "u", "d", "b"}

type request struct {
	Expr string                 `json:"expr"`
	Vars map[string]interface{} `json:"vars"`
}

type response struct {
	Value     *string `json:"value,omitempty"`
	Error     string  `json:"error,omitempty"`
	Unknown   bool    `json:"unknown,omitempty"`
	Unchecked string  `json:"unchecked,omitempty"`
}

func native(v interface{}) interface{} {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	case []interface{}:
		for i := range v {
			v[i] = native(v[i])
		}
	case map[string]interface{}:
		for k := range v {
			v[k] = native(v[k])
		}
	}
	return v
}

func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)
	return strings.TrimSpace(b.String())
}

func show(v ref.Val) string {
	switch v := v.(type) {
	case types.Null:
		return "null"
	case types.Bool:
		return fmt.Sprint(bool(v))
	case types.Int:
		return fmt.Sprint(int64(v))
	case types.Uint:
		return fmt.Sprintf("%du", uint64(v))
	case types.Double:
		f := float64(v)
		if math.IsNaN(f) {
			return "double:nan"
		}
		return fmt.Sprintf("double:%016x", math.Float64bits(f))
	case types.String:
		return quote(string(v))
	case types.Bytes:
		return "bytes:" + hex.EncodeToString(v)
	case types.Duration:
		return fmt.Sprintf("duration:%d", int64(v.Duration))
	case types.Timestamp:
		return "timestamp:" + v.Time.UTC().Format(time.RFC3339Nano)
	case *types.Optional:
		if !v.HasValue() {
			return "optional()"
		}
		return "optional(" + show(v.GetValue()) + ")"
	case apiservercel.Quantity, *apiservercel.Quantity:
		return "quantity"
	case apiservercel.IP:
		return "ip:" + v.Addr.String()
	case apiservercel.CIDR:
		return "cidr:" + v.Prefix.String()
	case apiservercel.URL:
		return "url"
	case apiservercel.Semver:
		return "semver:" + v.Version.String()
	case apiservercel.Format, *apiservercel.Format:
		return "format"
	case traits.Lister:
		var parts []string
		for it := v.Iterator(); it.HasNext() == types.True; {
			parts = append(parts, show(it.Next()))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case traits.Mapper:
		var parts []string
		for it := v.Iterator(); it.HasNext() == types.True; {
			k := it.Next()
			parts = append(parts, show(k)+":"+show(v.Get(k)))
		}
		sort.Strings(parts)
		return "{" + strings.Join(parts, ",") + "}"
	case ref.Type:
		return "type:" + v.TypeName()
	}
	return fmt.Sprintf("%T", v)
}

func evaluate(env *cel.Env, line []byte) (out response) {
	defer func() {
		if r := recover(); r != nil {
			out = response{Error: fmt.Sprint("panic: ", r)}
		}
	}()
	var req request
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&req); err != nil {
		return response{Error: "bad request: " + err.Error()}
	}
	ast, issues := env.Compile(req.Expr)
	unchecked := ""
	if issues.Err() != nil {
		unchecked = issues.Err().Error()
		ast, issues = env.Parse(req.Expr)
		if issues.Err() != nil {
			return response{Error: issues.Err().Error()}
		}
	}
	program, err := env.Program(ast)
	if err != nil {
		return response{Error: err.Error(), Unchecked: unchecked}
	}
	vars := native(req.Vars)
	activation, _ := vars.(map[string]interface{})
	if activation == nil {
		activation = map[string]interface{}{}
	}
	value, _, err := program.Eval(activation)
	switch {
	case err != nil:
		return response{Error: err.Error(), Unchecked: unchecked}
	case types.IsUnknown(value):
		return response{Unknown: true, Unchecked: unchecked}
	}
	text := show(value)
	return response{Value: &text, Unchecked: unchecked}
}

func main() {
	var options []cel.EnvOption
	for _, n := range names {
		options = append(options, cel.Variable(n, cel.DynType))
	}
	v := version.MajorMinor(1, 34)
	set, err := environment.MustBaseEnvSet(v, true).Extend(environment.VersionedOptions{IntroducedVersion: version.MajorMinor(1, 0), EnvOptions: options})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	env := set.StoredExpressionsEnv()

	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	w := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer w.Flush()
	for {
		var batch [][]byte
		for len(batch) < 512 {
			line, err := in.ReadBytes('\n')
			if len(bytes.TrimSpace(line)) > 0 {
				batch = append(batch, line)
			}
			if err != nil || in.Buffered() == 0 {
				break
			}
		}
		if len(batch) == 0 {
			return
		}
		out := make([][]byte, len(batch))
		var wg sync.WaitGroup
		next := make(chan int, len(batch))
		for i := range batch {
			next <- i
		}
		close(next)
		for range runtime.GOMAXPROCS(0) {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for i := range next {
					out[i], _ = json.Marshal(evaluate(env, batch[i]))
				}
			}()
		}
		wg.Wait()
		for _, o := range out {
			_, _ = w.Write(o)
			_ = w.WriteByte('\n')
		}
		if err := w.Flush(); err != nil {
			return
		}
	}
}
