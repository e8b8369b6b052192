package main

import (
	"reflect"
	"strings"

	admissionregistration "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	authentication "k8s.io/api/authentication/v1"
	authorization "k8s.io/api/authorization/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	certificates "k8s.io/api/certificates/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	events "k8s.io/api/events/v1"
	flowcontrol "k8s.io/api/flowcontrol/v1"
	networking "k8s.io/api/networking/v1"
	node "k8s.io/api/node/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
	resource "k8s.io/api/resource/v1"
	scheduling "k8s.io/api/scheduling/v1"
	storage "k8s.io/api/storage/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

var groups = []func(*runtime.Scheme) error{
	admissionregistration.AddToScheme, apps.AddToScheme, authentication.AddToScheme, authorization.AddToScheme, autoscalingv1.AddToScheme,
	autoscaling.AddToScheme, batch.AddToScheme, certificates.AddToScheme, coordination.AddToScheme, core.AddToScheme,
	discovery.AddToScheme, events.AddToScheme, flowcontrol.AddToScheme, networking.AddToScheme, node.AddToScheme, policy.AddToScheme,
	rbac.AddToScheme, resource.AddToScheme, scheduling.AddToScheme, storage.AddToScheme, apiextensions.AddToScheme,
	apiregistration.AddToScheme,
}

// fields: by the definition's name in OpenAPI, by JSON name: the Go type ("" where its name says nothing) and the Go names of the
// embedded structs that the field stands in, joined by dots.
type fields map[string]map[string][2]string

func allFields() fields {
	scheme, found := runtime.NewScheme(), fields{}
	for _, add := range groups {
		check(add(scheme))
	}
	for _, of := range scheme.AllKnownTypes() {
		found.walk(of)
	}
	for name, of := range found {
		if len(of) == 0 {
			delete(found, name)
		}
	}
	return found
}

func (f fields) walk(of reflect.Type) {
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		f.walk(of.Elem())
	case reflect.Struct:
		name := strings.ReplaceAll(strings.Replace(of.PkgPath(), "k8s.io/", "io.k8s.", 1), "/", ".") + "." + of.Name()
		if _, known := f[name]; known {
			return
		}
		f[name] = map[string][2]string{}
		f.add(f[name], of, "")
	}
}

func (f fields) add(into map[string][2]string, of reflect.Type, inside string) {
	for i := range of.NumField() {
		field := of.Field(i)
		if !field.IsExported() {
			continue
		}
		if key(field) == "" {
			f.add(into, field.Type, strings.TrimPrefix(inside+"."+field.Name, "."))
			continue
		}
		told := ""
		if own(field.Type) {
			told = strings.TrimLeft(field.Type.String(), "*")
		}
		if told != "" || inside != "" {
			into[key(field)] = [2]string{told, inside}
		}
		f.walk(field.Type)
	}
}

// own says whether a type is, or is made of, one that has a name and is no struct.
func own(of reflect.Type) bool {
	if of.PkgPath() != "" {
		return of.Kind() != reflect.Struct
	}
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return own(of.Elem())
	}
	return false
}
