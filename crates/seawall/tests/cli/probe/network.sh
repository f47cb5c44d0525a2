# A network of its own (`unshare --net --mount`): what runs in `pod` reaches the rest by one link, and rules on it stand for
# what an engine for policies does. Arguments: rules, listener, resolv.conf, seawall; what else is there are its arguments.
set -eu
rules=$1 listener=$2 resolv=$3 seawall=$4
shift 4
mount -t tmpfs tmpfs /run
mkdir /run/netns
ip netns add pod
ip link set lo up
ip link add to-pod type veth peer name eth0 netns pod
ip address add 10.244.0.1/24 dev to-pod
ip link set to-pod up
ip -n pod address add 10.244.0.9/24 dev eth0
ip -n pod link set eth0 up
ip -n pod route add default via 10.244.0.1
# The platform, the API server and the server for names, two Services, a node, something outside.
for address in 169.254.169.254 168.63.129.16 10.0.0.1 10.0.0.10 10.0.12.7 10.0.12.8 10.0.12.9 10.224.0.4 1.2.3.4; do
    ip address add "$address/32" dev lo
done
nft -f "$rules"
mount --bind "$resolv" /etc/resolv.conf
python3 "$listener" &
listening=$!
trap 'kill $listening' EXIT
until [ -e /run/listening ]; do sleep 0.1; done
KUBERNETES_SERVICE_HOST=10.0.0.1 KUBERNETES_SERVICE_PORT=443 nsenter --net=/run/netns/pod "$seawall" "$@"
