use super::*;
use crate::sim::SimTime;

fn args(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// Runs ipvsadm lines; the first error, as ipvsadm words it.
fn run(table: &mut Ipvs, lines: &str) -> Result<(), String> {
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match command(&args(line)).map_err(|error| error.to_string())? {
            IpvsCommand::Change(change) => table.apply(&change).map_err(|error| error.to_string())?,
            other => panic!("{other:?}"),
        }
    }
    Ok(())
}

fn table(lines: &str) -> Ipvs {
    let mut table = Ipvs::default();
    table.load();
    run(&mut table, lines).unwrap();
    table
}

fn print(table: &Ipvs, line: &str, now: SimTime) -> String {
    match command(&args(line)).unwrap() {
        IpvsCommand::List(listing) => table.list(&listing, now).unwrap(),
        IpvsCommand::Save { numeric } => table.save(numeric),
        other => panic!("{other:?}"),
    }
}

const WEB: ServiceKey = ServiceKey {
    protocol: Protocol::Tcp,
    address: Ipv4Addr::new(10, 96, 0, 10),
    port: 80,
};

fn client(last: u8) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::new(10, 244, 0, last), 40_000)
}

/// The last number of the server each new connection gets; 0 when there is none.
fn choices(table: &mut Ipvs, count: usize) -> Vec<u8> {
    (0..count)
        .map(|_| match table.connect(SimTime::ZERO, WEB, client(200)) {
            Verdict::To { server, .. } => server.ip().octets()[3],
            Verdict::NoServer => 0,
            Verdict::NotVirtual => panic!("not virtual"),
        })
        .collect()
}

fn three(scheduler: &str, weights: [u16; 3]) -> Ipvs {
    let mut lines = format!("-A -t 10.96.0.10:80 -s {scheduler}\n");
    for (at, weight) in weights.iter().enumerate() {
        lines += &format!("-a -t 10.96.0.10:80 -r 10.244.0.{}:8080 -m -w {weight}\n", at + 1);
    }
    table(&lines)
}

#[test]
fn round_robin_goes_from_the_newest_and_skips_weight_zero() {
    assert_eq!(choices(&mut three("rr", [1, 1, 1]), 7), [3, 2, 1, 3, 2, 1, 3]);
    assert_eq!(choices(&mut three("rr", [5, 0, 1]), 4), [3, 1, 3, 1]);
    assert_eq!(choices(&mut three("rr", [0, 0, 0]), 2), [0, 0]);
}

#[test]
fn round_robin_keeps_its_place_when_servers_come_and_go() {
    let mut table = three("rr", [1, 1, 1]);
    assert_eq!(choices(&mut table, 2), [3, 2]);
    run(&mut table, "-d -t 10.96.0.10:80 -r 10.244.0.2:8080").unwrap();
    assert_eq!(choices(&mut table, 3), [1, 3, 1]);
    run(&mut table, "-a -t 10.96.0.10:80 -r 10.244.0.4:8080 -m").unwrap();
    assert_eq!(choices(&mut table, 3), [4, 3, 1]);
    run(
        &mut table,
        "-d -t 10.96.0.10:80 -r 10.244.0.1:8080\n-d -t 10.96.0.10:80 -r 10.244.0.3:8080",
    )
    .unwrap();
    assert_eq!(choices(&mut table, 2), [4, 4]);
}

#[test]
fn weighted_round_robin_follows_the_weights() {
    // The pass that adding servers left it in (weight one), then from the heaviest down, newest first.
    assert_eq!(
        choices(&mut three("wrr", [4, 3, 2]), 12),
        [3, 2, 1, 1, 2, 1, 3, 2, 1, 3, 2, 1]
    );
    assert_eq!(choices(&mut three("wrr", [2, 4, 0]), 8), [2, 1, 2, 2, 1, 2, 2, 1]);
    assert_eq!(choices(&mut three("wrr", [0, 0, 0]), 2), [0, 0]);
    let mut table = three("wrr", [1, 1, 1]);
    run(&mut table, "-e -t 10.96.0.10:80 -r 10.244.0.1:8080 -m -w 3").unwrap();
    let counts = choices(&mut table, 10);
    assert_eq!(
        counts.iter().filter(|choice| **choice == 1).count(),
        6,
        "{counts:?}"
    );
}

#[test]
fn least_connection_counts_active_ones_256_times() {
    let mut table = three("lc", [1, 1, 1]);
    // Everyone idle: the first of the list. Inactive connections count too.
    assert_eq!(choices(&mut table, 4), [3, 2, 1, 3]);
    let mut weighted = three("wlc", [3, 1, 0]);
    assert_eq!(choices(&mut weighted, 4), [2, 1, 1, 1]);
}

#[test]
fn source_hash_sticks_to_the_client_and_refuses_when_its_server_is_drained() {
    let mut table = three("sh", [1, 1, 1]);
    let choose = |table: &mut Ipvs, last| match table.connect(SimTime::ZERO, WEB, client(last)) {
        Verdict::To { server, .. } => server.ip().octets()[3],
        _ => 0,
    };
    let chosen: Vec<u8> = (1..=60).map(|last| choose(&mut table, last)).collect();
    assert_eq!(
        chosen,
        (1..=60).map(|last| choose(&mut table, last)).collect::<Vec<_>>()
    );
    assert!(
        [1, 2, 3]
            .iter()
            .all(|server| chosen.iter().filter(|c| *c == server).count() > 5),
        "{chosen:?}"
    );
    run(&mut table, "-e -t 10.96.0.10:80 -r 10.244.0.2:8080 -m -w 0").unwrap();
    let drained: Vec<u8> = (1..=60).map(|last| choose(&mut table, last)).collect();
    for (before, after) in chosen.iter().zip(&drained) {
        assert_eq!(*after, if *before == 2 { 0 } else { *before });
    }
    run(&mut table, "-E -t 10.96.0.10:80 -s sh -b sh-fallback").unwrap();
    assert!((1..=60).all(|last| [1, 3].contains(&choose(&mut table, last))));
}

#[test]
fn connections_age() {
    let mut table = three("rr", [1, 1, 1]);
    let second = SimTime::from_secs;
    let Verdict::To {
        connection, server, ..
    } = table.connect(second(0), WEB, client(9))
    else {
        panic!()
    };
    let counts = |table: &Ipvs| {
        let server = table.service(&WEB).unwrap().server(&server).unwrap();
        (server.active_connections(), server.inactive_connections())
    };
    assert_eq!(counts(&table), (0, 1));
    let moved = Transfer {
        in_packets: 5,
        out_packets: 4,
        in_bytes: 400,
        out_bytes: 900,
    };
    table.settle(second(0), connection, Ending::Closes(second(2)), moved);
    assert_eq!((counts(&table), table.next_deadline()), ((1, 0), Some(second(2))));
    assert!(!table.tick(second(1)));
    assert!(table.tick(second(2)));
    assert_eq!(
        (counts(&table), table.next_deadline()),
        ((0, 1), Some(second(122)))
    );
    table.tick(second(122));
    assert_eq!((counts(&table), table.next_deadline()), ((0, 0), None));
    assert_eq!(table.service(&WEB).unwrap().stats().in_bytes, 400);

    let Verdict::To { connection, .. } = table.connect(second(200), WEB, client(9)) else {
        panic!()
    };
    table.settle(second(200), connection, Ending::Refused, Transfer::default());
    assert_eq!(table.next_deadline(), Some(second(210)));
    run(&mut table, "-D -t 10.96.0.10:80").unwrap();
    assert_eq!((table.next_deadline(), table.connections().len()), (None, 0));
}

#[test]
fn persistent_clients_come_back_until_the_time_is_over_or_the_server_drains() {
    let mut table = three("rr", [1, 1, 1]);
    run(&mut table, "-E -t 10.96.0.10:80 -s rr -p 60").unwrap();
    assert_eq!(choices(&mut table, 4), [3, 3, 3, 3]);
    let other = |table: &mut Ipvs, at| match table.connect(at, WEB, client(200)) {
        Verdict::To { server, .. } => server.ip().octets()[3],
        _ => 0,
    };
    assert_eq!(other(&mut table, SimTime::from_secs(59)), 3);
    table.tick(SimTime::from_secs(119));
    assert_eq!(other(&mut table, SimTime::from_secs(119)), 2);
    run(&mut table, "-e -t 10.96.0.10:80 -r 10.244.0.2:8080 -m -w 0").unwrap();
    assert_eq!(other(&mut table, SimTime::from_secs(120)), 1);
}

#[test]
fn prints_as_ipvsadm_does() {
    let mut table = table(
        "-A -t 10.96.0.10:80 -s rr
         -a -t 10.96.0.10:80 -r 10.244.1.5:8080 -m -w 1
         -a -t 10.96.0.10:80 -r 10.244.0.7:8080 -m
         -A -u 10.96.0.53:53 -p
         -A -t 10.96.0.1:443 -s sh -b sh-port
         -a -t 10.96.0.1:443 -r 192.168.0.1 -w 5",
    );
    let now = SimTime::ZERO;
    let Verdict::To { connection, .. } = table.connect(now, WEB, client(9)) else {
        panic!()
    };
    let moved = Transfer {
        in_packets: 6,
        out_packets: 4,
        in_bytes: 391,
        out_bytes: 123_456_789,
    };
    table.settle(now, connection, Ending::Closes(SimTime::from_secs(1)), moved);
    assert_eq!(
        print(&table, "-Ln", now),
        "IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  10.96.0.1:443 sh (sh-port)
  -> 192.168.0.1:443              Route   5      0          0         
TCP  10.96.0.10:80 rr
  -> 10.244.0.7:8080              Masq    1      1          0         
  -> 10.244.1.5:8080              Masq    1      0          0         
UDP  10.96.0.53:53 wlc persistent 360
"
    );
    assert_eq!(
        print(&table, "-L -n --stats -t 10.96.0.10:80", now),
        "Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes
  -> RemoteAddress:Port
TCP  10.96.0.10:80                       1        6        4      391  123456K
  -> 10.244.0.7:8080                     1        6        4      391  123456K
  -> 10.244.1.5:8080                     0        0        0        0        0
"
    );
    let saved = print(&table, "-S -n", now);
    assert_eq!(
        saved,
        "-A -t 10.96.0.1:443 -s sh -b sh-port
-a -t 10.96.0.1:443 -r 192.168.0.1:443 -g -w 5
-A -t 10.96.0.10:80 -s rr
-a -t 10.96.0.10:80 -r 10.244.0.7:8080 -m -w 1
-a -t 10.96.0.10:80 -r 10.244.1.5:8080 -m -w 1
-A -u 10.96.0.53:53 -s wlc -p 360
"
    );
    assert_eq!(self::table(&saved).save(true), saved);
    assert_eq!(
        print(&table, "-lnc", now),
        "IPVS connection entries
pro expire state       source             virtual            destination
TCP 00:01  ESTABLISHED 10.244.0.9:40000   10.96.0.10:80      10.244.0.7:8080
"
    );
    assert!(print(&table, "", now).contains("TCP  10.96.0.10:http rr\n  -> 10.244.0.7:http-alt"));
    assert_eq!(
        print(&table, "-L --timeout", now),
        "Timeout (tcp tcpfin udp): 900 120 300\n"
    );
    let rate = print(&table, "-Ln --rate", SimTime::from_secs(2));
    assert!(
        rate.contains("Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n"),
        "{rate}"
    );
    assert!(
        rate.contains("\n  -> 10.244.0.7:8080                     0        1        0       49 15432099\n"),
        "{rate}"
    );
    run(&mut table, "-Z\n--set 0 30 0").unwrap();
    assert_eq!(table.service(&WEB).unwrap().stats(), Stats::default());
    assert_eq!(
        print(&table, "-L --timeout", now),
        "Timeout (tcp tcpfin udp): 900 30 300\n"
    );
}

#[test]
fn refuses_in_ipvsadms_words() {
    let mut table = three("rr", [1, 1, 1]);
    for (line, error) in [
        ("-A -t 10.96.0.10:80", "Service already exists"),
        ("-D -t 10.96.0.11:80", "No such service"),
        ("-E -t 10.96.0.11:80 -s rr", "No such service"),
        ("-Z -t 10.96.0.11:80", "No such service"),
        ("-a -t 10.96.0.11:80 -r 10.244.0.1:80 -m", "Service not defined"),
        (
            "-a -t 10.96.0.10:80 -r 10.244.0.1:8080 -m",
            "Destination already exists",
        ),
        ("-e -t 10.96.0.10:80 -r 10.244.0.1:80 -m", "No such destination"),
        ("-d -t 10.96.0.10:80 -r 10.244.0.9:8080", "No such destination"),
        (
            "-A -t 224.0.0.1:80",
            "Invalid operation.  Possibly wrong module version, address not unicast, ...",
        ),
        (
            "-A -t 10.96.0.12:80 -s best",
            "Scheduler or persistence engine not found",
        ),
        (
            "-A -s rr",
            "You need to supply the 'service-address' option for the 'add-service' command",
        ),
        (
            "-a -t 10.96.0.10:80",
            "You need to supply the 'real-server' option for the 'add-server' command",
        ),
        (
            "-A -t 10.96.0.10:80 -m",
            "Illegal 'forwarding-method' option with the 'add-service' command",
        ),
        (
            "-D -t 10.96.0.10:80 -n",
            "Illegal 'numeric' option with the 'delete-service' command",
        ),
        (
            "-L -c --timeout",
            "The option 'timeout' conflicts with the 'connection' option in the 'list' command",
        ),
        ("-L -c --stats", "options conflicts in the list command"),
        (
            "-A -t 10.96.0.10",
            "Zero port specified for non-persistent service",
        ),
        ("-A -t 80", "illegal virtual server address[:port] specified"),
        (
            "-A -t 10.96.0.10:99999",
            "illegal virtual server address[:port] specified",
        ),
        (
            "-a -t 10.96.0.10:80 -r web:80",
            "illegal real server address[:port] specified",
        ),
        (
            "-a -t 10.96.0.10:80 -r 10.244.0.1:80 -m -w 65536",
            "illegal weight specified",
        ),
        (
            "-a -t 10.96.0.10:80 -r 10.244.0.1:80 -m -i",
            "multiple 'forwarding-method' options specified",
        ),
        ("-A -t 10.96.0.10:80 -p 0", "invalid timeout value `0' specified"),
        ("-A -t", "-t: missing argument"),
        ("-A -t 10.96.0.10:80 -Q", "-Q: unknown option"),
        ("-C now", "unexpected argument now"),
        ("-L -n -D", "invalid option `-D'"),
        ("--set 1 2", "--set option requires 3 timeout values"),
        (
            "-t 10.96.0.10:80 -A",
            "Try `ipvsadm -h' or 'ipvsadm --help' for more information.",
        ),
        (
            "web",
            "Try `ipvsadm -h' or 'ipvsadm --help' for more information.",
        ),
    ] {
        assert_eq!(run(&mut table, line).unwrap_err(), error, "{line}");
    }
    let IpvsCommand::List(absent) = command(&args("-L -t 10.96.0.11:80")).unwrap() else {
        panic!()
    };
    assert_eq!(table.list(&absent, SimTime::ZERO), Err(IpvsError::NoSuchService));
    let mut unloaded = Ipvs::default();
    assert_eq!(unloaded.list(&absent, SimTime::ZERO), Err(IpvsError::NotLoaded));
    assert!(
        run(&mut unloaded, "-C")
            .unwrap_err()
            .starts_with("Can't initialize ipvs")
    );
}

#[test]
fn changes_print_as_lines_that_mean_the_same() {
    for line in [
        "-A -t 10.96.0.10:80 -s rr -p 10800",
        "-E -u 10.96.0.10:53 -s sh -b sh-fallback,sh-port",
        "-a --sctp-service 10.96.0.10:80 -r 10.244.0.7:8080 -m -w 0",
        "-e -t 10.96.0.10:80 -r 10.244.0.7:80 -g -w 1",
        "-d -t 10.96.0.10:80 -r 10.244.0.7:8080",
        "-D -t 10.96.0.10:80",
        "-C",
        "-Z",
        "--set 1 2 3",
    ] {
        let IpvsCommand::Change(change) = command(&args(line)).unwrap() else {
            panic!("{line}")
        };
        assert_eq!(Arguments(&change).to_string(), line);
    }
}

#[test]
fn a_checkpoint_is_not_changed_by_what_comes_later() {
    let mut table = three("rr", [1, 1, 1]);
    let before = table.clone();
    let hash = |table: &Ipvs| {
        let mut hasher = StateHasher::new();
        table.hash(&mut hasher);
        hasher.finish()
    };
    let then = hash(&before);
    choices(&mut table, 2);
    run(&mut table, "-d -t 10.96.0.10:80 -r 10.244.0.1:8080").unwrap();
    assert_eq!(hash(&before), then);
    assert_ne!(hash(&table), then);
    assert_eq!(before.service(&WEB).unwrap().servers().len(), 3);
}
