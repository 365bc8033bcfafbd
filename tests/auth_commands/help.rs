//! The help of every command.

use super::Home;

#[test]
fn of_every_command() {
    let home = Home::new();
    for command in [
        "",
        "add",
        "paste-token",
        "paste-api-key",
        "setup-token",
        "login",
        "list",
        "remove",
        "clear",
        "order",
    ] {
        let mut arguments: Vec<&str> = command.split_whitespace().collect();
        arguments.push("--help");
        let ran = home.run(&arguments);
        assert_eq!(ran.code, Some(0));
        insta::assert_snapshot!(format!("help_{}", command.replace('-', "_")), ran.stdout);
    }
}
