//! The network of a job: a loopback interface of its own, or no sockets.

use std::collections::BTreeMap;
use std::io;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};

/// `RTM_NEWLINK` (linux/rtnetlink.h).
const NEW_LINK: u16 = 16;
/// `NLM_F_REQUEST | NLM_F_ACK` (linux/netlink.h).
const REQUEST_AND_ACK: u16 = 1 | 4;
/// `NLMSG_ERROR` (linux/netlink.h): also the type of an acknowledgement, with error 0.
const ANSWER: u16 = 2;
/// The loopback interface is the first of every network namespace.
const LOOPBACK: i32 = 1;
/// `IFF_UP` (linux/if.h).
const UP: u32 = 1;

/// Switches the loopback interface of this process's new network namespace on.
pub(super) fn raise_loopback() -> io::Result<()> {
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    sendto(&socket, &raise_message(), SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut answer = [0_u8; 256];
    let (_, length) = recv(&socket, &mut answer[..], RecvFlags::empty())?;
    read_answer(&answer[..length.min(answer.len())])
}

/// Returns `struct nlmsghdr` and `struct ifinfomsg` of the request, in native byte order.
fn raise_message() -> Vec<u8> {
    let mut message = Vec::with_capacity(32);
    message.extend_from_slice(&32_u32.to_ne_bytes());
    message.extend_from_slice(&NEW_LINK.to_ne_bytes());
    message.extend_from_slice(&REQUEST_AND_ACK.to_ne_bytes());
    message.extend_from_slice(&[0; 8]); // sequence number and port
    message.extend_from_slice(&[0; 4]); // family, padding, device type
    message.extend_from_slice(&LOOPBACK.to_ne_bytes());
    message.extend_from_slice(&UP.to_ne_bytes());
    message.extend_from_slice(&UP.to_ne_bytes()); // which flags to change
    message
}

fn read_answer(answer: &[u8]) -> io::Result<()> {
    let kind = answer.get(4..6).and_then(|b| b.try_into().ok()).map(u16::from_ne_bytes);
    let error = answer.get(16..20).and_then(|b| b.try_into().ok()).map(i32::from_ne_bytes);
    match (kind, error) {
        (Some(ANSWER), Some(0)) => Ok(()),
        (Some(ANSWER), Some(error)) => Err(io::Error::from_raw_os_error(error.saturating_neg())),
        _ => Err(io::Error::from_raw_os_error(libc::EPROTO)),
    }
}

/// Lets `socket` fail for every family that reaches beyond this host's files.
pub(super) fn forbid_sockets() -> io::Result<()> {
    apply_filter(&socket_filter().map_err(io::Error::other)?).map_err(io::Error::other)
}

/// Fails unless a socket is refused in the way that the filter refuses it.
pub(super) fn sockets_are_forbidden() -> io::Result<()> {
    match socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None) {
        Err(rustix::io::Errno::ACCESS) => Ok(()),
        Ok(_) | Err(_) => Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP)),
    }
}

fn socket_filter() -> Result<BpfProgram, seccompiler::BackendError> {
    let families = [libc::AF_INET, libc::AF_INET6, libc::AF_PACKET, libc::AF_VSOCK];
    let rule = |family: i32| {
        let family = u64::from(family.unsigned_abs());
        SeccompRule::new(vec![SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, family)?])
    };
    let rules = families.into_iter().map(rule).collect::<Result<Vec<_>, _>>()?;
    let denied = SeccompAction::Errno(libc::EACCES.unsigned_abs());
    let filter = SeccompFilter::new(
        BTreeMap::from([(libc::SYS_socket, rules)]),
        SeccompAction::Allow,
        denied,
        std::env::consts::ARCH.try_into()?,
    )?;
    filter.try_into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_whether_the_kernel_obeyed() {
        let mut answer = vec![0_u8; 36];
        answer[4..6].copy_from_slice(&ANSWER.to_ne_bytes());
        assert!(read_answer(&answer).is_ok());
        answer[16..20].copy_from_slice(&(-libc::EPERM).to_ne_bytes());
        assert_eq!(read_answer(&answer).unwrap_err().raw_os_error(), Some(libc::EPERM));
        assert!(read_answer(&answer[..10]).is_err());
    }

    #[test]
    fn a_filter_exists_for_this_processor() {
        assert!(!socket_filter().unwrap().is_empty());
    }
}
