// Command gotypes tells how Go sees a Pod template: `types` prints the fields of every type that a PodTemplateSpec reaches, in Go's
// order; `fields` those fields of all kinds whose Go type has a name of its own, or that stand in an embedded struct; `hash` reads any number of {"template", "collisions"} and prints what controller.ComputeHash of
// pkg/controller/controller_utils.go makes of each template when it came by protobuf, as a controller's informer gets it.
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"reflect"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/dump"
	"k8s.io/apimachinery/pkg/util/rand"
)

// tables: structs by name, each a list of [Go name, JSON name ("" where inline), type]; named types by name with what they are.
type tables struct {
	Structs map[string][][3]string `json:"structs"`
	Named   map[string]string      `json:"named"`
	paths   map[string]string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "hash" {
		hashes()
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "fields" {
		print(allFields())
		return
	}
	found := tables{map[string][][3]string{}, map[string]string{}, map[string]string{}}
	found.walk(reflect.TypeOf(v1.PodTemplateSpec{}))
	print(found)
}

func (t tables) walk(of reflect.Type) {
	name := of.String()
	if of.Name() != "" && of.PkgPath() != "" {
		if path, known := t.paths[name]; known {
			if path != of.PkgPath() {
				panic("two types named " + name)
			}
			return
		}
		t.paths[name] = of.PkgPath()
	}
	switch of.Kind() {
	case reflect.Struct:
		for i := range of.NumField() {
			field := of.Field(i)
			t.Structs[name] = append(t.Structs[name], [3]string{field.Name, key(field), field.Type.String()})
			t.walk(field.Type)
		}
		return
	case reflect.Pointer, reflect.Slice:
		t.walk(of.Elem())
	case reflect.Map:
		t.walk(of.Key())
		t.walk(of.Elem())
	case reflect.Interface, reflect.Array, reflect.Float32, reflect.Float64:
		panic("not foreseen: " + name)
	}
	if of.Name() != "" && of.PkgPath() != "" {
		t.Named[name] = underlying(of)
	}
}

func key(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	switch {
	case name != "" && name != "-":
		return name
	case field.Anonymous && field.Type.Kind() == reflect.Struct:
		return ""
	}
	return field.Name
}

func underlying(of reflect.Type) string {
	switch of.Kind() {
	case reflect.Slice:
		return "[]" + of.Elem().String()
	case reflect.Map:
		return "map[" + of.Key().String() + "]" + of.Elem().String()
	}
	return of.Kind().String()
}

func hashes() {
	_ = time.Now().String() // the local zone is looked up when first needed; a controller that has logged a line knows it
	asked := json.NewDecoder(os.Stdin)
	for asked.More() {
		var one struct {
			Template   v1.PodTemplateSpec
			Collisions *int32
		}
		check(asked.Decode(&one))
		wire, err := one.Template.Marshal()
		check(err)
		var got v1.PodTemplateSpec
		check(got.Unmarshal(wire))
		text := dump.ForHash(got)
		print(map[string]any{"dump": text, "hash": hash(text, one.Collisions)})
	}
}

func hash(text string, collisions *int32) string {
	hasher := fnv.New32a()
	hasher.Write([]byte(text))
	if collisions != nil {
		hasher.Write(binary.LittleEndian.AppendUint64(nil, uint64(uint32(*collisions))))
	}
	return rand.SafeEncodeString(fmt.Sprint(hasher.Sum32()))
}

func print(value any) {
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	check(out.Encode(value))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
