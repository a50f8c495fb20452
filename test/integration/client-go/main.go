// A controller's view of the server through client-go, run by client-go.test.ts:
//
//	client-go KUBECONFIG json|protobuf
//
// Prints "ok NAME" for each check that holds; the first that does not ends it with exit code 1.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

const (
	namespace = "default"
	patience  = 10 * time.Second
)

type session struct {
	context context.Context
	client  kubernetes.Interface
	rest    *rest.Config
}

func main() {
	if len(os.Args) != 3 {
		fail("usage", fmt.Errorf("client-go KUBECONFIG json|protobuf"))
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	must("kubeconfig", err)
	config.QPS = -1
	if os.Args[2] == "protobuf" {
		config.ContentType = "application/vnd.kubernetes.protobuf"
		config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	}
	client, err := kubernetes.NewForConfig(config)
	must("client", err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s := &session{context: ctx, client: client, rest: config}

	checks := []struct {
		name string
		run  func(*session) error
	}{
		{"discovery", discovery},
		{"objects", objects},
		{"errors", statusErrors},
		{"apply", serverSideApply},
		{"pages", pages},
		{"watch", watchWithBookmarks},
		{"initial-events", initialEvents},
		{"informer", informer},
		{"lease-lock", leaseLock},
		{"pods", pods},
		{"reviews", reviews},
		{"dynamic", dynamicClient},
		{"metadata-informer", metadataInformer},
		{"events", events},
	}
	for _, check := range checks {
		must(check.name, check.run(s))
		fmt.Println("ok", check.name)
	}
}

func must(name string, err error) {
	if err != nil {
		fail(name, err)
	}
}

func fail(name string, err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	os.Exit(1)
}

func eventually(what string, holds func() bool) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return nil
		}
	}
	return fmt.Errorf("never: %s", what)
}

func newConfigMap(name, value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"part": "client-go"}},
		Data:       map[string]string{"value": value},
		BinaryData: map[string][]byte{"bytes": {0, 1, 254, 255}},
	}
}

func (s *session) create(name, value string) (*corev1.ConfigMap, error) {
	configMaps := s.client.CoreV1().ConfigMaps(namespace)
	return configMaps.Create(s.context, newConfigMap(name, value), metav1.CreateOptions{})
}

func (s *session) remove(name string) error {
	return s.client.CoreV1().ConfigMaps(namespace).Delete(s.context, name, metav1.DeleteOptions{})
}

func discovery(s *session) error {
	groups, resources, err := s.client.Discovery().ServerGroupsAndResources()
	if err != nil {
		return err
	}
	if len(groups) < 15 || len(resources) < 20 {
		return fmt.Errorf("%d groups, %d versions", len(groups), len(resources))
	}
	version, err := s.client.Discovery().ServerVersion()
	if err != nil {
		return err
	}
	if version.Major != "1" || version.Minor != "36" {
		return fmt.Errorf("version %s.%s", version.Major, version.Minor)
	}
	return nil
}

// objects makes what has numbers, quantities, times, bytes and nested lists, and reads it back.
func objects(s *session) error {
	made, err := s.create("object", "1")
	if err != nil {
		return err
	}
	if string(made.BinaryData["bytes"]) != "\x00\x01\xfe\xff" {
		return fmt.Errorf("bytes came back as %v", made.BinaryData["bytes"])
	}
	if time.Since(made.CreationTimestamp.Time) > time.Minute {
		return fmt.Errorf("made at %v", made.CreationTimestamp)
	}
	deployments := s.client.AppsV1().Deployments(namespace)
	replicas := int32(3)
	labels := map[string]string{"app": "web"}
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name:  "web",
					Image: "nginx",
					Ports: []corev1.ContainerPort{{ContainerPort: 80}},
				}}},
			},
		},
	}
	if _, err := deployments.Create(s.context, deployment, metav1.CreateOptions{}); err != nil {
		return err
	}
	read, err := deployments.Get(s.context, "web", metav1.GetOptions{})
	if err != nil {
		return err
	}
	if read.Spec.Template.Spec.Containers[0].Ports[0].Protocol != corev1.ProtocolTCP || *read.Spec.Replicas != 3 {
		return fmt.Errorf("read back as %v", read.Spec)
	}
	scale, err := deployments.GetScale(s.context, "web", metav1.GetOptions{})
	if err != nil {
		return err
	}
	scale.Spec.Replicas = 5
	if _, err := deployments.UpdateScale(s.context, "web", scale, metav1.UpdateOptions{}); err != nil {
		return err
	}
	patch := []byte(`{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"nginx:2"}]}}}}`)
	patched, err := deployments.Patch(s.context, "web", types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return err
	}
	containers := patched.Spec.Template.Spec.Containers
	if *patched.Spec.Replicas != 5 || len(containers) != 1 || containers[0].Image != "nginx:2" {
		return fmt.Errorf("patched to %v", patched.Spec)
	}
	if err := deployments.Delete(s.context, "web", metav1.DeleteOptions{}); err != nil {
		return err
	}
	return s.remove("object")
}

func statusErrors(s *session) error {
	if _, err := s.create("twice", "1"); err != nil {
		return err
	}
	if _, err := s.create("twice", "2"); !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("created twice: %v", err)
	}
	configMaps := s.client.CoreV1().ConfigMaps(namespace)
	stale, err := configMaps.Get(s.context, "twice", metav1.GetOptions{})
	if err != nil {
		return err
	}
	stale.Data["value"] = "2"
	if _, err := configMaps.Update(s.context, stale, metav1.UpdateOptions{}); err != nil {
		return err
	}
	if _, err := configMaps.Update(s.context, stale, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		return fmt.Errorf("stale update: %v", err)
	}
	if _, err := s.create("Not A Name", "1"); !apierrors.IsInvalid(err) {
		return fmt.Errorf("invalid: %v", err)
	}
	if err := s.remove("twice"); err != nil {
		return err
	}
	if err := s.remove("twice"); !apierrors.IsNotFound(err) {
		return fmt.Errorf("removed twice: %v", err)
	}
	_, err = configMaps.Watch(s.context, metav1.ListOptions{ResourceVersion: "not-a-number"})
	if err == nil {
		return fmt.Errorf("a watch from no revision was taken")
	}
	return nil
}

func serverSideApply(s *session) error {
	configMaps := s.client.CoreV1().ConfigMaps(namespace)
	with := func(value string) *applycorev1.ConfigMapApplyConfiguration {
		return applycorev1.ConfigMap("applied", namespace).WithData(map[string]string{"value": value})
	}
	apply := func(manager, value string, force bool) error {
		options := metav1.ApplyOptions{FieldManager: manager, Force: force}
		_, err := configMaps.Apply(s.context, with(value), options)
		return err
	}
	if err := apply("first", "1", false); err != nil {
		return err
	}
	if err := apply("second", "2", false); !apierrors.IsConflict(err) {
		return fmt.Errorf("no conflict: %v", err)
	}
	if err := apply("second", "2", true); err != nil {
		return err
	}
	read, err := configMaps.Get(s.context, "applied", metav1.GetOptions{})
	if err != nil {
		return err
	}
	mine, err := applycorev1.ExtractConfigMap(read, "second")
	if err != nil {
		return err
	}
	if mine.Data["value"] != "2" {
		return fmt.Errorf("second owns %v", mine.Data)
	}
	return s.remove("applied")
}

func pages(s *session) error {
	for i := range 5 {
		if _, err := s.create(fmt.Sprintf("page-%d", i), "1"); err != nil {
			return err
		}
	}
	configMaps := s.client.CoreV1().ConfigMaps(namespace)
	options := metav1.ListOptions{LabelSelector: "part=client-go", Limit: 2}
	count := 0
	for {
		page, err := configMaps.List(s.context, options)
		if err != nil {
			return err
		}
		count += len(page.Items)
		if options.Continue = page.Continue; options.Continue == "" {
			break
		}
	}
	if count != 5 {
		return fmt.Errorf("%d objects in all pages", count)
	}
	all := metav1.ListOptions{LabelSelector: "part=client-go"}
	return configMaps.DeleteCollection(s.context, metav1.DeleteOptions{}, all)
}

func next(events <-chan watch.Event, wanted watch.EventType) (*corev1.ConfigMap, error) {
	select {
	case event, open := <-events:
		if !open {
			return nil, fmt.Errorf("the watch ended before %s", wanted)
		}
		if event.Type != wanted {
			return nil, fmt.Errorf("%s instead of %s: %v", event.Type, wanted, event.Object)
		}
		return event.Object.(*corev1.ConfigMap), nil
	case <-time.After(patience):
		return nil, fmt.Errorf("no %s", wanted)
	}
}

func watchWithBookmarks(s *session) error {
	configMaps := s.client.CoreV1().ConfigMaps(namespace)
	list, err := configMaps.List(s.context, metav1.ListOptions{})
	if err != nil {
		return err
	}
	seconds := int64(4)
	watching, err := configMaps.Watch(s.context, metav1.ListOptions{
		ResourceVersion:     list.ResourceVersion,
		AllowWatchBookmarks: true,
		TimeoutSeconds:      &seconds,
		LabelSelector:       "part=client-go",
	})
	if err != nil {
		return err
	}
	defer watching.Stop()
	events := watching.ResultChan()
	if _, err := s.create("watched", "1"); err != nil {
		return err
	}
	added, err := next(events, watch.Added)
	if err != nil {
		return err
	}
	// Out of the selector is deleted, and in again is added.
	added.Labels = nil
	moved, err := configMaps.Update(s.context, added, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	gone, err := next(events, watch.Deleted)
	if err != nil {
		return err
	}
	if gone.ResourceVersion != moved.ResourceVersion || gone.Labels["part"] != "client-go" {
		return fmt.Errorf("left the selector as %v", gone.ObjectMeta)
	}
	if err := s.remove("watched"); err != nil {
		return err
	}
	bookmark, err := next(events, watch.Bookmark)
	if err != nil {
		return err
	}
	if bookmark.ResourceVersion == "" || bookmark.Name != "" {
		return fmt.Errorf("bookmark %v", bookmark.ObjectMeta)
	}
	for event := range events {
		if event.Type != watch.Bookmark {
			return fmt.Errorf("%s after the bookmark", event.Type)
		}
	}
	return nil
}

func initialEvents(s *session) error {
	if _, err := s.create("initial", "1"); err != nil {
		return err
	}
	yes := true
	watching, err := s.client.CoreV1().ConfigMaps(namespace).Watch(s.context, metav1.ListOptions{
		SendInitialEvents:    &yes,
		ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
		AllowWatchBookmarks:  true,
		LabelSelector:        "part=client-go",
	})
	if err != nil {
		return err
	}
	defer watching.Stop()
	if _, err := next(watching.ResultChan(), watch.Added); err != nil {
		return err
	}
	bookmark, err := next(watching.ResultChan(), watch.Bookmark)
	if err != nil {
		return err
	}
	if bookmark.Annotations[metav1.InitialEventsAnnotationKey] != "true" {
		return fmt.Errorf("the initial events end with %v", bookmark.ObjectMeta)
	}
	return s.remove("initial")
}

func informer(s *session) error {
	if _, err := s.create("before", "1"); err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactoryWithOptions(s.client, 0,
		informers.WithNamespace(namespace),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) {
			options.LabelSelector = "part=client-go"
		}))
	configMaps := factory.Core().V1().ConfigMaps()
	stop := make(chan struct{})
	defer close(stop)
	lister := configMaps.Lister().ConfigMaps(namespace)
	shared := configMaps.Informer()
	factory.Start(stop)
	if !cache.WaitForCacheSync(stop, shared.HasSynced) {
		return fmt.Errorf("never synced")
	}
	if _, err := lister.Get("before"); err != nil {
		return err
	}
	made, err := s.create("behind", "x")
	if err != nil {
		return err
	}
	value := func(name string) string {
		object, err := lister.Get(name)
		if err != nil {
			return ""
		}
		return object.Data["value"]
	}
	if err := eventually("the new object is seen", func() bool { return value("behind") == "x" }); err != nil {
		return err
	}
	made.Data["value"] = "y"
	if _, err := s.client.CoreV1().ConfigMaps(namespace).Update(s.context, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	if err := eventually("the change is seen", func() bool { return value("behind") == "y" }); err != nil {
		return err
	}
	for _, name := range []string{"before", "behind"} {
		if err := s.remove(name); err != nil {
			return err
		}
	}
	return eventually("what is deleted is gone", func() bool { return len(shared.GetStore().ListKeys()) == 0 })
}

// leaseLock is what every controller's leader election does.
func leaseLock(s *session) error {
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, namespace, "leader",
		s.client.CoreV1(), s.client.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: "me"})
	if err != nil {
		return err
	}
	now := metav1.NowMicro()
	record := resourcelock.LeaderElectionRecord{
		HolderIdentity:       "me",
		LeaseDurationSeconds: 15,
		AcquireTime:          metav1.NewTime(now.Time),
		RenewTime:            metav1.NewTime(now.Time),
	}
	if err := lock.Create(s.context, record); err != nil {
		return err
	}
	read, _, err := lock.Get(s.context)
	if err != nil {
		return err
	}
	if read.HolderIdentity != "me" || read.LeaseDurationSeconds != 15 {
		return fmt.Errorf("the lease says %v", read)
	}
	record.LeaderTransitions++
	if err := lock.Update(s.context, record); err != nil {
		return err
	}
	return s.client.CoordinationV1().Leases(namespace).Delete(s.context, "leader", metav1.DeleteOptions{})
}
