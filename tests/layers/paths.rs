//! Every path of a source file that leads out of its module: in code, `use` trees, macros and attributes.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// How a path is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// In an expression, a type, a pattern, a macro or an attribute.
    Plain,
    /// In a private `use`.
    Use,
    /// In a `use` that others can see.
    Reexport,
    /// In a `use` with another name.
    Renamed,
}

/// A path as written.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// Its segments; a glob ends with `*`.
    pub(crate) segments: Vec<String>,
    /// How it is written.
    pub(crate) form: Form,
    /// The module that it is written in, from the crate's root.
    pub(crate) module: Vec<String>,
    /// Whether that is test code.
    pub(crate) in_test: bool,
    /// Its line.
    pub(crate) line: usize,
    /// Whether it begins with `::`.
    pub(crate) is_global: bool,
}

/// What a file contains.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Its paths.
    pub(crate) paths: Vec<Written>,
    /// Modules in files of their own that are test code.
    pub(crate) test_modules: Vec<Vec<String>>,
    /// Lines with a `#[path]`, which moves a module out of its place.
    pub(crate) moved_modules: Vec<usize>,
}

/// Collects the paths of a file that is the given module.
pub(crate) fn collect(file: &syn::File, module: &[String], in_test: bool) -> Found {
    let mut collector = Collector { module: module.to_vec(), in_test, found: Found::default() };
    collector.visit_file(file);
    collector.found
}

struct Collector {
    module: Vec<String>,
    in_test: bool,
    found: Found,
}

impl Collector {
    fn note(&mut self, segments: Vec<String>, form: Form, line: usize, is_global: bool) {
        let (module, in_test) = (self.module.clone(), self.in_test);
        self.found.paths.push(Written { segments, form, module, in_test, line, is_global });
    }

    fn use_tree(&mut self, tree: &syn::UseTree, before: &[String], form: Form, is_global: bool) {
        let with = |name: &str| [before, &[name.to_owned()]].concat();
        let line = tree.span().start().line;
        match tree {
            syn::UseTree::Path(path) => {
                self.use_tree(&path.tree, &with(&path.ident.to_string()), form, is_global);
            }
            syn::UseTree::Name(name) => self.note(with(&name.ident.to_string()), form, line, is_global),
            syn::UseTree::Rename(rename) => {
                let form = if form == Form::Reexport { form } else { Form::Renamed };
                self.note(with(&rename.ident.to_string()), form, line, is_global);
            }
            syn::UseTree::Glob(_) => self.note(with("*"), form, line, is_global),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.use_tree(item, before, form, is_global));
            }
        }
    }

    /// Scans tokens that no parser knows the grammar of; `before` is the path that a brace group continues.
    fn tokens(&mut self, tokens: TokenStream, before: &[String], strings: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at = self.token(&tokens, at, before, strings);
        }
    }

    fn token(&mut self, tokens: &[TokenTree], at: usize, before: &[String], strings: bool) -> usize {
        match &tokens[at] {
            TokenTree::Ident(first) => {
                let line = first.span().start().line;
                let is_global = at >= 2 && is_colons(tokens, at - 2);
                let mut segments = before.to_vec();
                segments.push(first.to_string());
                let mut next = at + 1;
                while is_colons(tokens, next) {
                    match tokens.get(next + 2) {
                        Some(TokenTree::Ident(ident)) => segments.push(ident.to_string()),
                        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                            self.tokens(group.stream(), &segments, strings);
                            return next + 3;
                        }
                        _ => break,
                    }
                    next += 3;
                }
                self.note(segments, Form::Plain, line, is_global);
                next
            }
            TokenTree::Group(group) => {
                self.tokens(group.stream(), &[], strings);
                at + 1
            }
            TokenTree::Literal(literal) if strings => {
                self.string(literal);
                at + 1
            }
            TokenTree::Literal(_) | TokenTree::Punct(_) => at + 1,
        }
    }

    /// Reads an attribute's string that is a path, such as that of `#[serde(with = "crate::x")]`.
    fn string(&mut self, literal: &proc_macro2::Literal) {
        let text = literal.to_string();
        if let Ok(path) = syn::parse_str::<syn::Path>(text.trim_matches('"')) {
            let segments: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            if segments.len() > 1 {
                self.note(segments, Form::Plain, literal.span().start().line, path.leading_colon.is_some());
            }
        }
    }

    fn within(&mut self, is_test: bool, visit: impl FnOnce(&mut Self)) {
        let outer = self.in_test;
        self.in_test |= is_test;
        visit(self);
        self.in_test = outer;
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        self.within(attributes(item).iter().any(is_cfg_test), |this| visit::visit_item(this, item));
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        if item.content.is_none() && self.in_test {
            self.found.test_modules.push(self.module.clone());
        }
        if let Some(moved) = item.attrs.iter().find(|attribute| attribute.path().is_ident("path")) {
            self.found.moved_modules.push(moved.span().start().line);
        }
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let form = if matches!(item.vis, syn::Visibility::Inherited) { Form::Use } else { Form::Reexport };
        self.use_tree(&item.tree, &[], form, item.leading_colon.is_some());
        item.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        self.note(vec![item.ident.to_string()], Form::Use, item.span().start().line, true);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.note(segments, Form::Plain, path.span().start().line, path.leading_colon.is_some());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.visit_path(&item.path);
        self.tokens(item.tokens.clone(), &[], false);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        match &attribute.meta {
            syn::Meta::Path(path) => self.visit_path(path),
            syn::Meta::List(list) => {
                self.visit_path(&list.path);
                self.tokens(list.tokens.clone(), &[], true);
            }
            // Documentation links to what it likes.
            syn::Meta::NameValue(_) => {}
        }
    }
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == ':');
    colon(tokens.get(at)) && colon(tokens.get(at + 1))
}

fn is_cfg_test(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
