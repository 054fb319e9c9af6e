"""No module imports itself through others."""

import grimp
import networkx


def test_imports_have_no_cycle() -> None:
    modules = grimp.build_graph("robseg", "reports", "corruptions")
    imports = networkx.DiGraph(
        (module, imported)
        for module in modules.modules
        for imported in modules.find_modules_directly_imported_by(module)
    )
    assert [cycle for cycle in networkx.strongly_connected_components(imports) if len(cycle) > 1] == []
