package main

import (
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/retry"
)

var configMapsResource = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

// pods goes through a pod's life as scheduler, kubelet and drain do.
func pods(s *session) error {
	pods := s.client.CoreV1().Pods(namespace)
	grace := int64(0)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "life", Labels: map[string]string{"app": "life"}},
		Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: &grace,
			Containers:                    []corev1.Container{{Name: "main", Image: "busybox"}},
		},
	}
	if _, err := pods.Create(s.context, pod, metav1.CreateOptions{}); err != nil {
		return err
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-1"}}
	if _, err := s.client.CoreV1().Nodes().Create(s.context, node, metav1.CreateOptions{}); err != nil {
		return err
	}
	binding := &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: "life", Namespace: namespace},
		Target:     corev1.ObjectReference{Kind: "Node", Name: "node-1"},
	}
	if err := pods.Bind(s.context, binding, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		bound, err := pods.Get(s.context, "life", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if bound.Spec.NodeName != "node-1" {
			return fmt.Errorf("bound to %q", bound.Spec.NodeName)
		}
		bound.Status.Phase = corev1.PodRunning
		bound.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
		_, err = pods.UpdateStatus(s.context, bound, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("status: %w", err)
	}
	on, err := pods.List(s.context, metav1.ListOptions{FieldSelector: "spec.nodeName=node-1,status.phase=Running"})
	if err != nil {
		return err
	}
	if len(on.Items) != 1 {
		return fmt.Errorf("%d pods on the node", len(on.Items))
	}
	debug := on.Items[0].DeepCopy()
	debug.Spec.EphemeralContainers = []corev1.EphemeralContainer{{
		EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug", Image: "busybox"},
	}}
	if _, err := pods.UpdateEphemeralContainers(s.context, "life", debug, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("ephemeral container: %w", err)
	}
	eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: "life", Namespace: namespace}}
	if err := pods.EvictV1(s.context, eviction); err != nil {
		return fmt.Errorf("evict: %w", err)
	}
	if err := pods.Delete(s.context, "life", metav1.DeleteOptions{GracePeriodSeconds: &grace}); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	if err := s.client.CoreV1().Nodes().Delete(s.context, "node-1", metav1.DeleteOptions{}); err != nil {
		return err
	}
	return eventually("the pod is gone", func() bool {
		_, err := pods.Get(s.context, "life", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}

// reviews asks for a token, whose it is, and what its owner may do.
func reviews(s *session) error {
	accounts := s.client.CoreV1().ServiceAccounts(namespace)
	asked := &authenticationv1.TokenRequest{}
	token, err := accounts.CreateToken(s.context, "default", asked, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	tokenReview, err := s.client.AuthenticationV1().TokenReviews().Create(s.context,
		&authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token.Status.Token}}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("token review: %w", err)
	}
	user := tokenReview.Status.User
	if !tokenReview.Status.Authenticated || user.Username != "system:serviceaccount:default:default" {
		return fmt.Errorf("the token is %v", tokenReview.Status)
	}
	accessReview, err := s.client.AuthorizationV1().SubjectAccessReviews().Create(s.context,
		&authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User:               user.Username,
			Groups:             user.Groups,
			ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "delete", Resource: "nodes"},
		}}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("access review: %w", err)
	}
	if accessReview.Status.Allowed {
		return fmt.Errorf("the default account may delete nodes")
	}
	return nil
}

// dynamicClient works without types, as operators of many kinds do.
func dynamicClient(s *session) error {
	client, err := dynamic.NewForConfig(s.rest)
	if err != nil {
		return err
	}
	configMaps := client.Resource(configMapsResource).Namespace(namespace)
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1",
		"kind":       "ConfigMap",
		"metadata":   map[string]any{"name": "dynamic"},
		"data":       map[string]any{"a": "b"},
	}}
	if _, err := configMaps.Apply(s.context, "dynamic", object, metav1.ApplyOptions{FieldManager: "dynamic"}); err != nil {
		return err
	}
	list, err := configMaps.List(s.context, metav1.ListOptions{FieldSelector: "metadata.name=dynamic"})
	if err != nil {
		return err
	}
	if len(list.Items) != 1 || list.Items[0].GetKind() != "ConfigMap" || list.GetResourceVersion() == "" {
		return fmt.Errorf("listed %v", list)
	}
	return configMaps.Delete(s.context, "dynamic", metav1.DeleteOptions{})
}

// metadataInformer follows metadata alone, as garbage collectors do.
func metadataInformer(s *session) error {
	client, err := metadata.NewForConfig(s.rest)
	if err != nil {
		return err
	}
	factory := metadatainformer.NewFilteredSharedInformerFactory(client, 0, namespace, func(options *metav1.ListOptions) {
		options.LabelSelector = "part=client-go"
	})
	informer := factory.ForResource(configMapsResource).Informer()
	stop := make(chan struct{})
	defer close(stop)
	factory.Start(stop)
	if !cache.WaitForCacheSync(stop, informer.HasSynced) {
		return fmt.Errorf("never synced")
	}
	if _, err := s.create("metadata", "1"); err != nil {
		return err
	}
	err = eventually("the metadata is seen", func() bool {
		found, exists, _ := informer.GetStore().GetByKey(namespace + "/metadata")
		return exists && found.(*metav1.PartialObjectMetadata).Labels["part"] == "client-go"
	})
	if err != nil {
		return err
	}
	if err := s.remove("metadata"); err != nil {
		return err
	}
	return eventually("it is gone", func() bool { return len(informer.GetStore().ListKeys()) == 0 })
}

// events are recorded, and counted together, as every controller does.
func events(s *session) error {
	broadcaster := record.NewBroadcaster()
	defer broadcaster.Shutdown()
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: s.client.CoreV1().Events("")})
	recorder := broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "client-go"})
	about := &corev1.ObjectReference{Kind: "ConfigMap", APIVersion: "v1", Namespace: namespace, Name: "any", UID: "1"}
	for range 3 {
		recorder.Event(about, corev1.EventTypeNormal, "Tested", "the same thing again")
	}
	var counts []int32
	err := eventually("three times the same is one event", func() bool {
		list, err := s.client.CoreV1().Events(namespace).List(s.context, metav1.ListOptions{FieldSelector: "reason=Tested"})
		if err != nil {
			return false
		}
		counts = counts[:0]
		for _, item := range list.Items {
			counts = append(counts, item.Count)
		}
		return len(counts) == 1 && counts[0] == 3
	})
	if err != nil {
		return fmt.Errorf("%w; counted %v", err, counts)
	}
	return nil
}
