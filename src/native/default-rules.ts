/**
 * What an object in the store lacks when its defaults are not in it: the addon checks it while it
 * makes an object's JSON, so that only the few objects that need it are decoded and defaulted.
 * A rule that says too much costs time, one that is missing leaves a default out;
 * test/native/default-rules.test.ts compares them with the defaulting functions.
 *
 * A line is a Go struct (without `k8s.io/api/`), rules, and perhaps `@Root`: only inside objects of
 * that struct. A rule is broken
 *   field            when it is absent (a pointer) or zero (anything else)
 *   field?other      the same, but only where `other` is set
 *   field?other=a|b  only where `other` is one of these texts
 *   field>=other     when it lacks a key of `other`
 *   field#key        when the map lacks the key
 *   *                when no field at all is set
 */
const CONTAINER = `imagePullPolicy terminationMessagePath terminationMessagePolicy`;
const SCALE_RULES = "stabilizationWindowSeconds selectPolicy policies";

const DEVICE_REQUEST = "allocationMode count?allocationMode=ExactCount";

const RULES = `
core/v1.PodSpec dnsPolicy restartPolicy securityContext terminationGracePeriodSeconds schedulerName
core/v1.PodSpec serviceAccount?serviceAccountName serviceAccountName?serviceAccount
core/v1.PodSpec enableServiceLinks @core/v1.Pod
core/v1.Container ${CONTAINER}
core/v1.EphemeralContainerCommon ${CONTAINER}
core/v1.ContainerPort protocol
core/v1.ResourceRequirements requests>=limits @core/v1.Pod
core/v1.PodStatus podIPs?podIP podIP?podIPs hostIPs?hostIP hostIP?hostIPs
core/v1.ObjectFieldSelector apiVersion
core/v1.FileKeySelector optional
core/v1.Probe timeoutSeconds periodSeconds successThreshold failureThreshold
core/v1.GRPCAction service
core/v1.HTTPGetAction path scheme
core/v1.VolumeSource *
core/v1.SecretVolumeSource defaultMode
core/v1.ConfigMapVolumeSource defaultMode
core/v1.DownwardAPIVolumeSource defaultMode
core/v1.ProjectedVolumeSource defaultMode
core/v1.ServiceAccountTokenProjection expirationSeconds
core/v1.HostPathVolumeSource type
core/v1.ImageVolumeSource pullPolicy
core/v1.ISCSIVolumeSource iscsiInterface
core/v1.ISCSIPersistentVolumeSource iscsiInterface
core/v1.RBDVolumeSource pool user keyring
core/v1.RBDPersistentVolumeSource pool user keyring
core/v1.AzureDiskVolumeSource cachingMode kind fsType readOnly
core/v1.ScaleIOVolumeSource storageMode fsType
core/v1.ScaleIOPersistentVolumeSource storageMode fsType
core/v1.PersistentVolumeClaimSpec volumeMode
core/v1.PersistentVolumeClaimStatus phase
core/v1.PersistentVolumeSpec persistentVolumeReclaimPolicy volumeMode @core/v1.PersistentVolume
core/v1.PersistentVolumeStatus phase
core/v1.NamespaceStatus phase
k8s.io/apimachinery/pkg/apis/meta/v1.ObjectMeta labels#kubernetes.io/metadata.name @core/v1.Namespace
core/v1.NodeStatus allocatable?capacity
core/v1.NodeSpec podCIDRs?podCIDR podCIDR?podCIDRs
core/v1.Secret type
core/v1.EndpointPort protocol
core/v1.LimitRangeItem default>=max defaultRequest>=default defaultRequest>=min
core/v1.ServiceSpec sessionAffinity type sessionAffinityConfig?sessionAffinity=ClientIP
core/v1.ServiceSpec externalTrafficPolicy?type=NodePort|LoadBalancer externalTrafficPolicy?externalIPs
core/v1.ServiceSpec internalTrafficPolicy?type=NodePort|LoadBalancer|ClusterIP
core/v1.ServiceSpec allocateLoadBalancerNodePorts?type=LoadBalancer
core/v1.SessionAffinityConfig clientIP
core/v1.ClientIPConfig timeoutSeconds
core/v1.ServicePort protocol targetPort
core/v1.LoadBalancerIngress ipMode?ip @core/v1.Service
core/v1.ReplicationControllerSpec replicas selector @core/v1.ReplicationController
k8s.io/apimachinery/pkg/apis/meta/v1.ObjectMeta labels @core/v1.ReplicationController
apps/v1.DeploymentSpec replicas revisionHistoryLimit progressDeadlineSeconds
apps/v1.DeploymentStrategy type rollingUpdate?type=RollingUpdate
apps/v1.RollingUpdateDeployment maxUnavailable maxSurge
apps/v1.ReplicaSetSpec replicas
k8s.io/apimachinery/pkg/apis/meta/v1.ObjectMeta annotations#deprecated.daemonset.template.generation @apps/v1.DaemonSet
apps/v1.DaemonSetSpec revisionHistoryLimit
apps/v1.DaemonSetUpdateStrategy type rollingUpdate?type=RollingUpdate
apps/v1.RollingUpdateDaemonSet maxUnavailable maxSurge
apps/v1.StatefulSetSpec podManagementPolicy persistentVolumeClaimRetentionPolicy replicas revisionHistoryLimit
apps/v1.StatefulSetUpdateStrategy type
apps/v1.RollingUpdateStatefulSetStrategy partition
apps/v1.StatefulSetPersistentVolumeClaimRetentionPolicy whenDeleted whenScaled
batch/v1.JobSpec parallelism backoffLimit completionMode suspend manualSelector podReplacementPolicy @batch/v1.Job
batch/v1.PodFailurePolicyOnPodConditionsPattern status
k8s.io/apimachinery/pkg/apis/meta/v1.ObjectMeta labels @batch/v1.Job
batch/v1.CronJobSpec concurrencyPolicy suspend successfulJobsHistoryLimit failedJobsHistoryLimit
autoscaling/v2.HorizontalPodAutoscalerSpec minReplicas metrics
autoscaling/v2.HorizontalPodAutoscalerBehavior scaleUp scaleDown
autoscaling/v2.HPAScalingRules ${SCALE_RULES}
networking/v1.NetworkPolicySpec policyTypes
networking/v1.NetworkPolicyPort protocol
networking/v1.IngressClassParametersReference scope
discovery/v1.EndpointPort name protocol
rbac/v1.RoleRef apiGroup
rbac/v1.Subject apiGroup?kind=User|Group
scheduling/v1.PriorityClass preemptionPolicy
storage/v1.StorageClass reclaimPolicy volumeBindingMode
storage/v1.CSIDriverSpec attachRequired podInfoOnMount storageCapacity fsGroupPolicy volumeLifecycleModes
storage/v1.CSIDriverSpec requiresRepublish seLinuxMount
flowcontrol/v1.FlowSchemaSpec matchingPrecedence
flowcontrol/v1.PriorityLevelConfigurationSpec exempt?type=Exempt
flowcontrol/v1.ExemptPriorityLevelConfiguration nominalConcurrencyShares lendablePercent
flowcontrol/v1.LimitedPriorityLevelConfiguration nominalConcurrencyShares lendablePercent
flowcontrol/v1.QueuingConfiguration queues handSize queueLengthLimit
admissionregistration/v1.ValidatingWebhook failurePolicy matchPolicy namespaceSelector objectSelector timeoutSeconds
admissionregistration/v1.MutatingWebhook failurePolicy matchPolicy namespaceSelector objectSelector timeoutSeconds
admissionregistration/v1.MutatingWebhook reinvocationPolicy
admissionregistration/v1.Rule scope
admissionregistration/v1.ServiceReference port
admissionregistration/v1.ValidatingAdmissionPolicySpec failurePolicy
admissionregistration/v1.MatchResources matchPolicy namespaceSelector objectSelector
admissionregistration/v1beta1.MutatingAdmissionPolicySpec failurePolicy
admissionregistration/v1beta1.MatchResources matchPolicy namespaceSelector objectSelector
resource/v1.ExactDeviceRequest ${DEVICE_REQUEST}
resource/v1.DeviceSubRequest ${DEVICE_REQUEST}
resource/v1.DeviceTaint timeAdded
resource/v1.NodeAllocatableResourceMapping allocationMultiplier
resource/v1alpha3.DeviceTaint timeAdded
resource/v1alpha3.ResourcePoolStatusRequestSpec limit
certificates/v1beta1.PodCertificateRequestSpec maxExpirationSeconds
k8s.io/kube-aggregator/pkg/apis/apiregistration/v1.ServiceReference port
`;

/** The rules as NativeBinding.loadTypes takes them, with Go's full names. */
export function defaultRules(): string {
  return RULES.trim().replace(/(^|@)(?!k8s\.io)(?=[a-z])/gm, "$1k8s.io/api/");
}
