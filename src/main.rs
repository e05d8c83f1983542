//! Mounts the page. Natively there is no page; the server is `bin/server.rs`.

#[cfg(target_arch = "wasm32")]
fn main() {
    kube_by_hand::web::mount();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("The page is built for wasm32 (`make serve`); the native program is `cargo run --bin server`.");
    std::process::exit(2);
}
